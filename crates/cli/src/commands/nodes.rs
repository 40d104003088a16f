//! `nakanet nodes`: what each node of a run follows, who its peers are, what it mined.

use observe::text;

use crate::args::NodesArgs;
use crate::exit::{Ended, Exit, Failure};
use crate::{look, say};

pub(crate) fn nodes(args: &NodesArgs) -> Ended {
    let follow = look::open(&args.run.run)?;
    let moment = look::moment(&follow, args.at.at).map_err(Failure::bad_input)?;
    let nodes = moment.nodes();
    if args.run.json {
        look::print_json(&nodes);
    } else {
        say::part(text::node_states(&nodes));
    }
    Ok(Exit::Passed)
}
