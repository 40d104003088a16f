//! `nakanet serve`: the page of a run, finished or going on.

use std::path::Path;

use observe::Operator;
use page::{Error, Options, Page};

use crate::args::{PageArgs, ServeArgs};
use crate::exit::{Ended, Exit, Failure};
use crate::{interrupt, paint, say};

pub(crate) fn serve(args: &ServeArgs) -> Ended {
    interrupt::on_interrupt(|| {})?;
    let options = Options {
        port: args.port,
        operator: None,
    };
    let page = Page::open(&args.run, options).map_err(|error| failure(&args.run, error))?;
    tell(&page);
    interrupt::wait();
    Ok(Exit::Passed)
}

/// The page of a run that is about to begin, if one is wanted.
pub(crate) fn beside(folder: &Path, args: &PageArgs, operator: Operator) -> Result<Option<Page>, Failure> {
    if !args.serve {
        return Ok(None);
    }
    let options = Options {
        port: args.port,
        operator: Some(operator),
    };
    let page = Page::await_run(folder, options).map_err(|error| failure(folder, error))?;
    tell(&page);
    Ok(Some(page))
}

/// Leaves the page open until Ctrl-C.
pub(crate) fn linger(page: Option<Page>) {
    if let Some(page) = page {
        tell(&page);
        interrupt::wait();
    }
}

/// Where the page is.
fn tell(page: &Page) {
    say::line(format_args!(
        "{}    {}  until Ctrl-C",
        paint::strong("Page"),
        page.link()
    ));
}

fn failure(folder: &Path, error: Error) -> Failure {
    match error {
        Error::Port { .. } | Error::Token(_) | Error::Thread(_) => Failure::could_not_start(error),
        Error::Run(reason) => {
            let shown = anyhow::Error::new(reason);
            Failure::bad_input(shown.context(format!("{} is not the folder of a run", folder.display())))
        }
    }
}
