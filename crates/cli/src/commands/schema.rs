//! `nakanet schema`: machine-readable descriptions of our files.

use crate::args::{SchemaArgs, SchemaKind};
use crate::exit::{Ended, Exit};
use crate::say;

pub(crate) fn schema(args: &SchemaArgs) -> Ended {
    let schema = match args.what {
        SchemaKind::Scenario => scenario::grammar::json_schema(),
        SchemaKind::Events => observe::told::json_schema(),
    };
    say::line(format_args!("{schema:#}"));
    Ok(Exit::Passed)
}
