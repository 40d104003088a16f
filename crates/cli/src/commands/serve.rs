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

/// What is served beside a run.
pub(crate) struct Served {
    page: Option<Page>,
    _figures: Option<Page>,
}

/// The page of a run that is about to begin, and its figures for Prometheus, if they are wanted.
pub(crate) fn beside(folder: &Path, args: &PageArgs, operator: Operator) -> Result<Served, Failure> {
    let options = Options {
        port: args.port,
        operator: Some(operator),
    };
    let page = args.serve.then(|| Page::await_run(folder, options));
    let page = page.transpose().map_err(|error| failure(folder, error))?;
    if let Some(page) = &page {
        tell(page);
    }
    let figures = args.metrics.map(|port| Page::await_metrics(folder, port));
    let figures = figures.transpose().map_err(|error| failure(folder, error))?;
    if let Some(figures) = &figures {
        say::line(format_args!(
            "{} http://{}/metrics",
            paint::strong("Metrics"),
            figures.address()
        ));
    }
    Ok(Served {
        page,
        _figures: figures,
    })
}

impl Served {
    /// Whether steps can be handed in by way of it.
    pub(crate) const fn takes_steps(&self) -> bool {
        self.page.is_some()
    }

    /// Leaves the page open until Ctrl-C, where there is one.
    pub(crate) fn linger(self) {
        if let Some(page) = &self.page {
            tell(page);
            interrupt::wait();
        }
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
