//! The terminal: keys in, frames out.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use observe::Operator;
use observe::model::{Follow, FollowError, Model};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use thiserror::Error;

use crate::app::{App, Wish};
use crate::draw::{Scene, draw, waiting};
use crate::limits::TICK;
use crate::tempo::Tempo;

/// What to look at.
pub struct Watch {
    /// The run's folder; it may be about to be made.
    pub folder: PathBuf,
    /// Hands in steps, for a run that takes them.
    pub operator: Option<Operator>,
    /// The tempo of a simulation that is looked at.
    pub tempo: Option<Arc<Tempo>>,
    /// Ends the run in good order.
    pub end: Box<dyn Fn() + Send>,
    /// Whether the run could not begin: then there is nothing to look at.
    pub is_lost: Box<dyn Fn() -> bool + Send>,
}

/// How the view was left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// When the user had seen enough.
    Enough,
    /// With the wish that the run ends.
    EndRun,
}

/// Why there is no view.
#[derive(Debug, Error)]
pub enum Error {
    /// The terminal cannot be drawn on.
    #[error("cannot draw on this terminal: {0}")]
    Terminal(#[from] io::Error),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] FollowError),
    /// What nodes followed was written to disk and cannot be read back.
    #[error("cannot read back what nodes followed: {0}")]
    Arrivals(#[from] observe::arrivals::Unreadable),
}

/// Shows a run until the user leaves. The terminal is as it was afterwards, whatever happens.
///
/// # Errors
/// When the terminal cannot be drawn on, or the log is damaged.
pub fn watch(watch: Watch) -> Result<Left, Error> {
    let tempo = watch.tempo.clone();
    let mut terminal = ratatui::try_init()?;
    let left = show(&mut terminal, watch);
    ratatui::restore();
    // Nobody looks any more.
    tempo.inspect(|tempo| tempo.set_free());
    left
}

fn show(terminal: &mut DefaultTerminal, watch: Watch) -> Result<Left, Error> {
    let mut app = App::new(watch.operator, watch.tempo);
    let nothing = Model::new();
    let mut follow: Option<Follow> = None;
    let mut last = Instant::now();
    let mut drawn = None;
    while !(watch.is_lost)() {
        match &mut follow {
            Some(follow) => {
                follow.poll()?;
            }
            // It has not begun yet, or its log cannot be read, which whoever runs it will tell.
            None => follow = Follow::open(&watch.folder).ok(),
        }
        let follow = follow.as_ref();
        let model = follow.map_or(&nothing, Follow::model);
        app.pass(last.elapsed(), model);
        last = Instant::now();
        // A frame in which nothing is another is not laid out again.
        let shown = (
            model.revision(),
            app.time(model),
            app.said.clone(),
            app.tempo.as_ref().map(|tempo| tempo.speed()),
        );
        if drawn.as_ref() != Some(&shown) {
            frame(terminal, &app, model)?;
            drawn = Some(shown);
        }
        if !event::poll(TICK)? {
            continue;
        }
        while event::poll(Duration::ZERO)? {
            drawn = None;
            if let Event::Key(key) = event::read()?
                && key.kind != KeyEventKind::Release
            {
                match app.key(key, model) {
                    None => {}
                    Some(Wish::Explain(block)) => {
                        app.explain(follow.map_or(Ok(None), |follow| follow.why_block(&block)));
                    }
                    Some(Wish::Leave) => return Ok(Left::Enough),
                    Some(Wish::EndRun) => {
                        (watch.end)();
                        return Ok(Left::EndRun);
                    }
                }
            }
        }
    }
    Ok(Left::Enough)
}

fn frame(terminal: &mut DefaultTerminal, app: &App, model: &Model) -> Result<(), Error> {
    if model.run().is_none() {
        terminal.draw(|frame| waiting(frame, "waiting for the run to begin"))?;
        return Ok(());
    }
    let moment = model.at(app.time(model))?;
    let scene = Scene::new(app, model, &moment);
    terminal.draw(|frame| draw(frame, &scene))?;
    Ok(())
}
