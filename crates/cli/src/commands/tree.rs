//! `nakanet tree`: the blocks of a run, and who follows which.

use chain::Height;
use observe::layout::View;
use observe::text;

use crate::args::TreeArgs;
use crate::exit::{Ended, Exit, Failure};
use crate::{look, say};

pub(crate) fn tree(args: &TreeArgs) -> Ended {
    let follow = look::open(&args.run.run)?;
    let view = View {
        from: Height(args.from),
        to: Height(args.to),
        rows: args.rows,
    };
    let moment = look::moment(&follow, args.at.at).map_err(Failure::bad_input)?;
    let picture = moment.tree(view);
    if args.run.json {
        look::print_json(&picture);
    } else {
        say::part(text::picture(&picture));
    }
    Ok(Exit::Passed)
}
