//! `nakanet attach`: the news of a cluster in the background, and steps for it, until Ctrl-C; the cluster goes on.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

use crate::args::AttachArgs;
use crate::background::Found;
use crate::exit::{Ended, Exit, Failure};
use crate::interrupt::on_interrupt_tell;
use crate::{console, journal, paint, say};

/// How long between two looks for news.
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) fn attach(args: &AttachArgs) -> Ended {
    let found = Found::meant(args.run.as_deref(), &args.out)?;
    let news = found.folder.join(journal::FOLDER).join(journal::NEWS);
    let mut file = File::open(&news)
        .with_context(|| {
            format!(
                "{} was not started with --detach: its news are where it was started",
                found.folder.display()
            )
        })
        .map_err(Failure::bad_input)?;
    let (leave, left) = channel();
    on_interrupt_tell(leave.clone())?;
    hand_on(&found.folder, leave)?;
    let mut leaves = false;
    loop {
        // What is said last is read after the look.
        let is_over = found.wait_for_end(Duration::ZERO)?;
        copy(&mut file).map_err(Failure::could_not_start)?;
        if is_over {
            return Ok(Exit::Passed);
        }
        if leaves {
            say::aside(paint::dim("\nthe cluster goes on; `nakanet down` ends it"));
            return Ok(Exit::Passed);
        }
        leaves = left.recv_timeout(PAUSE).is_ok();
    }
}

fn copy(file: &mut File) -> io::Result<()> {
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    if !text.is_empty() {
        say::part(String::from_utf8_lossy(&text));
    }
    Ok(())
}

/// Hands the lines of standard input on to the cluster. The word that ends a cluster on a terminal of its own only leaves it here.
fn hand_on(folder: &Path, leave: Sender<()>) -> Result<(), Failure> {
    let mut cluster = UnixStream::connect(folder.join(console::SOCKET))
        .with_context(|| format!("cannot reach the cluster in {}", folder.display()))
        .map_err(Failure::could_not_start)?;
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Some(text) = console::next_line(&mut input) {
            if console::is_quit(&text) {
                // Whoever is gone has left already.
                let _ = leave.send(());
                return;
            }
            // A cluster that ends while somebody types is noticed by its end.
            if cluster.write_all(text.as_bytes()).is_err() {
                return;
            }
        }
    });
    Ok(())
}
