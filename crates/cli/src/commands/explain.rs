//! `nakanet explain`: what an action, an expectation or a reject reason means.

use anyhow::anyhow;

use crate::args::ExplainArgs;
use crate::exit::{Ended, Exit, Failure};
use crate::say;

pub(crate) fn explain(args: &ExplainArgs) -> Ended {
    let Some(word) = &args.word else {
        say::part(scenario::grammar::overview());
        return Ok(Exit::Passed);
    };
    let Some(text) = scenario::grammar::explain(word) else {
        let nearest = scenario::grammar::nearest_word(word);
        let hint = nearest.map_or(String::new(), |nearest| format!("; did you mean `{nearest}`?"));
        return Err(Failure::bad_input(anyhow!(
            "`{word}` is no action, expectation or reason{hint}"
        )));
    };
    say::line(text.trim_end());
    Ok(Exit::Passed)
}
