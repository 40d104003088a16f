//! Steps typed while a run goes on, one on a line.

use std::io::{self, BufRead, BufReader, IsTerminal as _, Read as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use observe::Operator;
use observe::operator::{Answer, NotTaken};
use scenario::limits::MAX_INSTRUCTION_BYTES;
use scenario::{ControlReport, Instruction, StepState, grammar, words};

use crate::limits::MAX_ATTACHED;
use crate::{load, paint, say};

/// The name of the socket in a run folder that takes steps from those who are attached.
pub(crate) const SOCKET: &str = "steps.socket";

/// What a line is.
#[derive(PartialEq, Eq, Debug)]
enum Line<'a> {
    Empty,
    Help(Option<&'a str>),
    Quit,
    Step(&'a str),
}

fn line(text: &str) -> Line<'_> {
    let text = text.trim();
    let mut words = text.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (None, ..) => Line::Empty,
        (Some("help" | "?"), about, None) => Line::Help(about),
        (Some("quit" | "exit"), None, _) => Line::Quit,
        (Some(first), ..) if first.starts_with('#') => Line::Empty,
        (Some(_), ..) => Line::Step(text),
    }
}

/// Reads steps from standard input and hands them in, until it ends; `quit` is what the word does. The thread lives as long as the program:
/// nobody can be kept from waiting for a line.
pub(crate) fn listen(operator: Operator, quit: impl Fn() + Send + 'static) {
    if io::stdin().is_terminal() {
        say::line(paint::dim(
            "type a step, as mine = 3, on = \"n0\"; help lists what there is, quit ends it",
        ));
    }
    thread::spawn(move || take_in(&operator, &mut io::stdin().lock(), &quit));
}

/// Reads steps from whoever attaches to the cluster of this run folder; several may, up to a limit.
pub(crate) fn receive(operator: Operator, folder: &Path) -> io::Result<()> {
    let listener = UnixListener::bind(folder.join(SOCKET))?;
    let attached = Arc::new(AtomicUsize::new(0));
    thread::spawn(move || {
        while let Ok((guest, _)) = listener.accept() {
            if attached.fetch_add(1, Ordering::SeqCst) >= MAX_ATTACHED {
                attached.fetch_sub(1, Ordering::SeqCst);
                continue;
            }
            let (operator, attached) = (operator.clone(), Arc::clone(&attached));
            thread::spawn(move || {
                take_in(&operator, &mut BufReader::new(guest), &|| {});
                attached.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    Ok(())
}

/// Whether a line is the word that ends it.
pub(crate) fn is_quit(text: &str) -> bool {
    line(text) == Line::Quit
}

fn take_in(operator: &Operator, input: &mut impl BufRead, quit: &impl Fn()) {
    while let Some(text) = next_line(input) {
        match line(&text) {
            Line::Empty => {}
            Line::Help(about) => help(about),
            Line::Quit => return quit(),
            Line::Step(step) => hand_in(operator, step),
        }
    }
}

/// A line, or as much of it as a step may have; none at the end.
pub(crate) fn next_line(input: &mut impl BufRead) -> Option<String> {
    let mut bytes = Vec::new();
    let mut bounded = input.take(MAX_INSTRUCTION_BYTES as u64 + 1);
    let read = bounded.read_until(b'\n', &mut bytes).ok()?;
    (read > 0).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

fn help(about: Option<&str>) {
    let Some(word) = about else {
        say::part(grammar::actions_overview());
        say::line("help WORD explains one, or an expectation after `expect` and `wait`.");
        return;
    };
    match grammar::explain(word) {
        Some(text) => say::line(text.trim_end()),
        None => say::aside(format_args!(
            "{}: `{word}` is no action, expectation or reason",
            paint::bad("error")
        )),
    }
}

/// Hands a step in. That it was carried out is told with the news of the run; that it was not is told here.
fn hand_in(operator: &Operator, step: &str) {
    let refused = |reason: NotTaken| say::aside(format_args!("{}: {reason}", paint::bad("error")));
    match operator.hand_in(Instruction::new("console", step)) {
        Err(reason) => refused(reason),
        Ok(reply) => {
            // At most as many as a run takes at a time.
            thread::spawn(move || match reply.wait() {
                Ok(Answer::Refused(diagnostics)) => load::show(&diagnostics),
                Ok(Answer::Passed { .. } | Answer::Failed { .. }) => {}
                Err(reason) => refused(reason),
            });
        }
    }
}

/// What became of an operator's step, on one line; nothing while it goes on.
pub(crate) fn news(report: &ControlReport) -> Option<String> {
    let ControlReport { who, text, .. } = report;
    let took = words::duration(report.took);
    match &report.state {
        StepState::Started => None,
        StepState::Passed { found } => Some(format!("{who}: {text}  {took}  {}", paint::dim(found))),
        StepState::Failed { expected, found } => Some(format!(
            "{who}: {text}  {} after {took}: expected {expected}, found {found}",
            paint::bad("FAIL")
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_line_is_a_step_unless_it_is_a_word_of_the_console() {
        for (text, expected) in [
            ("", Line::Empty),
            ("  # said to oneself\n", Line::Empty),
            ("help\n", Line::Help(None)),
            ("help heal", Line::Help(Some("heal"))),
            (" quit ", Line::Quit),
            ("heal = \"split\"\n", Line::Step("heal = \"split\"")),
            ("help = 1, me", Line::Step("help = 1, me")),
        ] {
            assert_eq!(line(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_without_end_is_cut_where_a_step_is_too_long_anyway() {
        let mut endless = BufReader::new(io::repeat(b'a'));
        let text = next_line(&mut endless).expect("a line");
        assert_eq!(text.len(), MAX_INSTRUCTION_BYTES + 1);
        assert_eq!(next_line(&mut io::empty()), None);
    }

    #[test]
    fn so_many_are_attached_and_one_more_is_let_go_at_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (operator, _desk) = Operator::new();
        receive(operator, folder.path()).expect("it can be listened");
        let attach = || UnixStream::connect(folder.path().join(SOCKET)).expect("somebody listens");
        let guests: Vec<UnixStream> = (0..MAX_ATTACHED).map(|_| attach()).collect();
        assert_eq!(attach().read(&mut [0]).expect("it is let go"), 0);
        for mut guest in guests {
            guest.set_nonblocking(true).expect("a socket");
            let waits = guest.read(&mut [0]).expect_err("nothing is said, and nobody let go");
            assert_eq!(waits.kind(), io::ErrorKind::WouldBlock);
        }
    }
}
