//! `nakanet watch`: a recorded run in the terminal, or one that another process is at.

use observe::log;
use terminal::{Watch, watch as show};

use crate::args::WatchArgs;
use crate::exit::{Ended, Exit, Failure};
use crate::view;

pub(crate) fn watch(args: &WatchArgs) -> Ended {
    // What is wrong with the folder is told before the screen is taken.
    log::read(&args.run).map_err(Failure::bad_input)?;
    view::needs_terminal()?;
    let watched = Watch {
        folder: args.run.clone(),
        operator: None,
        tempo: None,
        end: Box::new(|| {}),
        is_lost: Box::new(|| false),
    };
    show(watched).map_err(Failure::could_not_start)?;
    Ok(Exit::Passed)
}
