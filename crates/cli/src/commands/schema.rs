//! `nakanet schema`: machine-readable descriptions of our files.

use crate::args::{SchemaArgs, SchemaKind};
use crate::exit::{Ended, Exit};

pub(crate) fn schema(args: &SchemaArgs) -> Ended {
    let schema = match args.what {
        SchemaKind::Scenario => scenario::grammar::json_schema(),
    };
    println!("{schema:#}");
    Ok(Exit::Passed)
}
