//! The interface itself: what there is, how long, and its end.

use serde_json::json;

use super::{Category, Method, Run, all, find, help_of, may};
use crate::arguments::{Arguments, Kind};
use crate::error::Answer;
use crate::office::Office;
use crate::{Code, RpcError};

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "help",
        category: Category::Control,
        parameters: &[may("command", Kind::Text)],
        summary: "Lists all methods, or describes one.",
        run: Run::Task(|_, arguments| Box::pin(std::future::ready(help(&arguments)))),
    },
    Method {
        name: "stop",
        category: Category::Control,
        parameters: &[may("wait", Kind::Number)],
        summary: "Stops the node in good order.",
        run: Run::Task(|office, _| Box::pin(stop(office))),
    },
    Method {
        name: "uptime",
        category: Category::Control,
        parameters: &[],
        summary: "The seconds since the node came up.",
        run: Run::Task(|office, _| Box::pin(std::future::ready(Ok(json!(office.opened.elapsed().as_secs()))))),
    },
];

fn help(arguments: &Arguments) -> Answer {
    if let Some(name) = arguments.text(0).filter(|name| !name.is_empty()) {
        return Ok(match find(name) {
            Some(method) => json!(help_of(&method)),
            None => json!(format!("help: unknown command: {name}")),
        });
    }
    let mut text = String::new();
    let mut category = None;
    for method in all() {
        if category != Some(method.category) {
            let gap = if category.is_some() { "\n" } else { "" };
            text.push_str(&format!("{gap}== {} ==\n", method.category.name()));
            category = Some(method.category);
        }
        text.push_str(&method.usage());
        text.push('\n');
    }
    Ok(json!(text.trim_end()))
}

async fn stop(office: std::sync::Arc<Office>) -> Answer {
    office
        .clerk
        .stop()
        .await
        .map_err(|_| RpcError::new(Code::Stopping, "the node is stopping already"))?;
    Ok(json!("nakanet stopping"))
}
