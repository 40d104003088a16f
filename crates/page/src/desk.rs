//! The one who has read the run and answers questions about it: a thread that owns the model, follows the log, and takes a question at a time.
//!
//! Nobody else touches the model, so there is nothing to lock, and a slow reader of an answer holds up nobody.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use axum::http::StatusCode;
use tokio::sync::{oneshot, watch};

use crate::answer::Problem;
use crate::limits::{FOLLOW_INTERVAL, MAX_QUESTIONS};
use crate::reading::{Reading, ReadingError};
use crate::views::Cursor;

/// A question, and the way its answer goes back.
type Question = Box<dyn FnOnce(&Reading) + Send>;

/// Where questions are put. Copies lead to the same desk.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    questions: SyncSender<Question>,
    news: watch::Receiver<Cursor>,
}

impl Desk {
    /// Answers from what has been read, and goes on reading until the last copy of the desk is gone.
    pub(crate) fn open(reading: Reading) -> Result<(Self, JoinHandle<()>), ReadingError> {
        let (questions, asked) = sync_channel(MAX_QUESTIONS);
        let (tell, news) = watch::channel(Cursor::of(&reading));
        let keeper = thread::Builder::new().name("page-desk".to_owned());
        let keeper = keeper
            .spawn(move || keep(reading, &asked, &tell))
            .map_err(ReadingError::Thread)?;
        Ok((Self { questions, news }, keeper))
    }

    /// Asks, and waits for the answer.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Reading) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let (reply, answer) = oneshot::channel();
        let question: Question = Box::new(move |reading| {
            // Whoever asked may have gone.
            drop(reply.send(question(reading)));
        });
        self.questions.try_send(question).map_err(|error| match error {
            TrySendError::Full(_) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many questions at a time"),
            TrySendError::Disconnected(_) => GONE,
        })?;
        answer.await.map_err(|_| GONE)
    }

    /// How far the log has been read, from now on.
    pub(crate) fn news(&self) -> watch::Receiver<Cursor> {
        self.news.clone()
    }
}

const GONE: Problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the page is being closed");

fn keep(mut reading: Reading, asked: &Receiver<Question>, tell: &watch::Sender<Cursor>) {
    let mut looked = Instant::now();
    loop {
        match asked.recv_timeout(FOLLOW_INTERVAL.saturating_sub(looked.elapsed())) {
            Ok(question) => question(&reading),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if looked.elapsed() >= FOLLOW_INTERVAL {
            reading.follow();
            let cursor = Cursor::of(&reading);
            tell.send_if_modified(|known| std::mem::replace(known, cursor.clone()) != cursor);
            looked = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn questions_beyond_those_that_may_wait_are_refused() {
        let (desk, keeper) = Desk::open(Reading::awaiting(Path::new("nowhere"))).expect("a thread");
        let (begun, has_begun) = sync_channel(0);
        let (go_on, held) = sync_channel::<()>(0);
        let first: Question = Box::new(move |_| {
            begun.send(()).expect("the test waits");
            held.recv().expect("the test lets it go on");
        });
        desk.questions.try_send(first).expect("there is room");
        has_begun.recv().expect("it is being answered");
        for _ in 0..MAX_QUESTIONS {
            desk.questions.try_send(Box::new(|_| {})).expect("there is room");
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("no system is asked");
        let refused = runtime.block_on(desk.ask(|_| ())).expect_err("there is no room");
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        go_on.send(()).expect("it waits");
        runtime.block_on(async {
            // The one who answers has caught up when a question goes through.
            while desk.ask(|_| ()).await.is_err() {}
        });
        drop(desk);
        keeper.join().expect("it ends with the last copy of the desk");
    }
}
