//! What can be asked. `docs/PAGE.md` tells of every route.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRef, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base::Time;
use futures::Stream;
use observe::metrics;
use observe::model::{Model, Moment};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

use crate::answer::{Answer, Problem};
use crate::assets;
use crate::control::{self, Control};
use crate::desk::Desk;
use crate::limits::{
    ALIVE_INTERVAL, MAX_BODY_BYTES, MAX_EVENTS, MAX_STREAMS, MAX_TIME_US, MAX_TREE_ROWS, NEWS_INTERVAL,
};
use crate::parameters::Parameters;
use crate::reading::Reading;
use crate::views::{
    Cursor, EventFilter, EventsView, ForkView, MomentView, NewsView, RunView, SpreadView, StepTo, StepsView,
    TransactionsView, TreeView,
};

/// What handlers need.
#[derive(Clone, Debug)]
struct Shared {
    desk: Desk,
    control: Option<Control>,
    streams: Arc<Semaphore>,
}

impl FromRef<Shared> for Option<Control> {
    fn from_ref(shared: &Shared) -> Self {
        shared.control.clone()
    }
}

impl Shared {
    fn new(desk: Desk, control: Option<Control>) -> Self {
        Self {
            desk,
            control,
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
        }
    }
}

/// The route of a run's figures alone.
pub(crate) fn figures(desk: Desk) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(Shared::new(desk, None))
}

/// All routes of a run's page.
pub(crate) fn routes(desk: Desk, control: Option<Control>) -> Router {
    Router::new()
        .route("/api/run", get(run))
        .route("/api/news", get(news))
        .route("/api/stream", get(stream))
        .route("/api/moment", get(moment))
        .route("/api/tree", get(tree))
        .route("/api/fork", get(fork))
        .route("/api/spread", get(spread))
        .route("/api/events", get(events))
        .route("/api/step", get(step))
        .route("/api/steps", get(steps))
        .route("/api/transactions", get(transactions))
        .route("/metrics", get(metrics))
        .route("/api/control", post(control::control))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .fallback(asset)
        .with_state(Shared::new(desk, control))
}

async fn asset(uri: Uri) -> Response {
    let nothing = || Problem::new(StatusCode::NOT_FOUND, "there is no such page").into_response();
    assets::at(uri.path()).unwrap_or_else(nothing)
}

/// The run in figures, for Prometheus.
async fn metrics(State(shared): State<Shared>, parameters: Parameters) -> Result<Response, Problem> {
    parameters.end()?;
    let text = shared.desk.ask(|reading| metrics::text(reading.model())).await?;
    Ok(([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}

async fn run(State(shared): State<Shared>, parameters: Parameters) -> Answer<RunView> {
    parameters.end()?;
    let takes_steps = shared.control.is_some();
    let run = shared
        .desk
        .ask(move |reading| RunView::of(reading.model(), takes_steps))
        .await?;
    let not_yet = || {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the run has not begun to write its log",
        )
    };
    run.map(Json).ok_or_else(not_yet)
}

async fn news(State(shared): State<Shared>, mut parameters: Parameters) -> Answer<NewsView> {
    let since = parameters.number("since", MAX_TIME_US)?.unwrap_or(0);
    end(parameters)?;
    shared
        .desk
        .ask(move |reading| NewsView::since(reading, since))
        .await
        .map(Json)
}

async fn moment(State(shared): State<Shared>, mut parameters: Parameters) -> Answer<MomentView> {
    let at = time(&mut parameters)?;
    end(parameters)?;
    at_a_moment(&shared, at, |model, moment| Ok(MomentView::of(model, moment))).await
}

async fn tree(State(shared): State<Shared>, mut parameters: Parameters) -> Answer<TreeView> {
    let at = time(&mut parameters)?;
    let rows = parameters.number("rows", MAX_TREE_ROWS as u64)?;
    end(parameters)?;
    let rows = rows
        .and_then(|rows| usize::try_from(rows).ok())
        .unwrap_or(MAX_TREE_ROWS);
    at_a_moment(&shared, at, move |model, moment| Ok(TreeView::of(model, moment, rows))).await
}

async fn fork(State(shared): State<Shared>, mut parameters: Parameters) -> Answer<ForkView> {
    let at = time(&mut parameters)?;
    let id = parameters.number("id", u64::from(u32::MAX))?;
    end(parameters)?;
    let Some(id) = id.and_then(|id| usize::try_from(id).ok()) else {
        return Err(Problem::bad("`id` is missing: the number of a fork".to_owned()));
    };
    at_a_moment(&shared, at, move |model, moment| {
        let fork = ForkView::of(model, id, moment).map_err(|error| Problem::broken(error.to_string()))?;
        fork.ok_or_else(|| Problem::unknown(format!("there is no fork {id}")))
    })
    .await
}

async fn spread(State(shared): State<Shared>, mut parameters: Parameters) -> Answer<SpreadView> {
    let at = time(&mut parameters)?;
    end(parameters)?;
    at_a_moment(&shared, at, |model, moment| {
        SpreadView::of(model, moment).map_err(|error| Problem::broken(error.to_string()))
    })
    .await
}

async fn steps(State(shared): State<Shared>, mut parameters: Parameters) -> Answer<StepsView> {
    let at = time(&mut parameters)?;
    end(parameters)?;
    at_a_moment(&shared, at, |model, moment| Ok(StepsView::of(model, moment))).await
}

async fn transactions(State(shared): State<Shared>, mut parameters: Parameters) -> Answer<TransactionsView> {
    let at = time(&mut parameters)?;
    end(parameters)?;
    at_a_moment(&shared, at, |model, moment| Ok(TransactionsView::of(model, moment))).await
}

async fn events(State(shared): State<Shared>, mut parameters: Parameters) -> Answer<EventsView> {
    let at = time(&mut parameters)?;
    let limit = parameters.number("limit", MAX_EVENTS as u64)?.unwrap_or(100);
    let filter = EventFilter::from(&mut parameters);
    end(parameters)?;
    let limit = usize::try_from(limit).unwrap_or(MAX_EVENTS);
    let asked = move |reading: &Reading| EventsView::until(reading, at.unwrap_or(MAX_TIME_US), &filter, limit);
    Ok(Json(shared.desk.ask(asked).await??))
}

async fn step(State(shared): State<Shared>, mut parameters: Parameters) -> Answer<StepTo> {
    let at = time(&mut parameters)?.unwrap_or(0);
    let direction = parameters.text("direction");
    let filter = EventFilter::from(&mut parameters);
    end(parameters)?;
    let found = match direction.as_deref() {
        Some("on") => {
            shared
                .desk
                .ask(move |reading| StepTo::after(reading, at, &filter))
                .await?
        }
        Some("back") => {
            shared
                .desk
                .ask(move |reading| StepTo::before(reading, at, &filter))
                .await?
        }
        Some(_) | None => return Err(Problem::bad("`direction` is `on` or `back`".to_owned())),
    };
    Ok(Json(found?))
}

/// The moment asked for; none is the last there is.
fn time(parameters: &mut Parameters) -> Result<Option<u64>, Problem> {
    parameters.number("t", MAX_TIME_US)
}

/// `revision` may stand anywhere: it makes one question another when there is more to tell.
fn end(mut parameters: Parameters) -> Result<(), Problem> {
    parameters.number("revision", MAX_TIME_US)?;
    parameters.end()
}

async fn at_a_moment<T: Send + 'static>(
    shared: &Shared,
    at: Option<u64>,
    view: impl FnOnce(&Model, &Moment<'_>) -> Result<T, Problem> + Send + 'static,
) -> Answer<T> {
    let asked = move |reading: &Reading| {
        let model = reading.model();
        let at = at.map_or(model.now(), |at| Time::from_micros(at).min(model.now()));
        let moment = model.at(at).map_err(|error| Problem::broken(error.to_string()))?;
        view(model, &moment)
    };
    shared.desk.ask(asked).await?.map(Json)
}

/// A stream of small cursors. A reader who is slow misses some and gets the last: nothing waits for him.
async fn stream(State(shared): State<Shared>) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let full = |_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many streams at a time");
    let permit = Arc::clone(&shared.streams).try_acquire_owned().map_err(full)?;
    let mut news = shared.desk.news();
    news.mark_changed();
    let told = Told {
        news,
        not_before: Instant::now(),
        _permit: permit,
    };
    Ok(Sse::new(futures::stream::unfold(told, Told::next)).keep_alive(KeepAlive::new().interval(ALIVE_INTERVAL)))
}

/// What one stream has been told.
struct Told {
    news: watch::Receiver<Cursor>,
    not_before: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Told {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        tokio::time::sleep_until(self.not_before).await;
        self.news.changed().await.ok()?;
        let event = Event::default()
            .event("cursor")
            .json_data(&*self.news.borrow_and_update())
            .ok()?;
        self.not_before = Instant::now() + NEWS_INTERVAL;
        Some((Ok(event), self))
    }
}
