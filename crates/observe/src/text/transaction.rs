//! Why a transaction ended as it did.

use base::Time;

use super::fork::{coin, words_of};
use super::{counted, letter, moment, wrapped};
use crate::model::{InBlock, WhyTransaction};

/// The transaction, what it competed with, and for each node what happened to it there.
#[must_use]
pub fn why_transaction(why: &WhyTransaction) -> String {
    let label = why
        .label
        .as_ref()
        .map_or_else(String::new, |label| format!(", {label}"));
    let mut text = format!("transaction {}{label}\n", why.txid.0.leading());
    text.push_str(&format!("  name       {}\n", why.txid));
    if let Some(first) = why.first_us {
        let by = why
            .submitted_to
            .as_ref()
            .map_or_else(String::new, |node| format!(", handed to {node} by a wallet"));
        text.push_str(&format!("  first      at {}{by}\n", moment(Time::from_micros(first))));
    }
    if let (Some(bytes), Some(fee)) = (why.bytes, why.fee) {
        text.push_str(&format!(
            "  pays       a fee of {} coins, {bytes} bytes\n",
            chain::Amount::from_units(fee)
        ));
    }
    text.push_str(&wrapped("  fate       ", words_of(&fate(why))));
    for rival in &why.rivals {
        let name = rival.txid.0.leading();
        let label = rival
            .label
            .as_ref()
            .map_or(name.clone(), |label| format!("{label} ({name})"));
        let place = match rival.blocks.iter().find(|block| !block.stale) {
            Some(block) => format!(", confirmed in {} {}", block.height, block.block.short()),
            None if rival.blocks.is_empty() => ", in no block".to_owned(),
            None => ", in stale blocks only".to_owned(),
        };
        let words = format!("{label} spends {} too{place}", coin(&rival.coin));
        text.push_str(&wrapped("  rival      ", words_of(&words)));
    }
    if why.nodes.is_empty() {
        return text;
    }
    let width = why.nodes.iter().map(|node| node.node.len()).max().unwrap_or(0);
    text.push('\n');
    for node in &why.nodes {
        let heading = format!("  {:width$}  ", node.node);
        let events = node
            .events
            .iter()
            .map(|(at, words)| format!("{} {words}", moment(Time::from_micros(*at))));
        let events: Vec<String> = events.collect();
        text.push_str(&wrapped(&heading, words_of(&events.join("; "))));
    }
    text
}

fn fate(why: &WhyTransaction) -> String {
    let listed = |blocks: &mut dyn Iterator<Item = &InBlock>| {
        let listed: Vec<String> = blocks.map(place).collect();
        listed.join(", ")
    };
    if why.confirmed {
        return format!(
            "confirmed in {}",
            listed(&mut why.blocks.iter().filter(|block| !block.stale))
        );
    }
    if why.blocks.is_empty() {
        return "never confirmed".to_owned();
    }
    let beaten = why
        .rivals
        .iter()
        .any(|rival| rival.blocks.iter().any(|block| !block.stale));
    let lost = if beaten {
        "lost: another transaction spends its coin"
    } else {
        "not confirmed"
    };
    let stale = counted(why.blocks.len(), "block");
    format!(
        "{lost}; it was in {stale} that went stale: {}",
        listed(&mut why.blocks.iter())
    )
}

fn place(block: &InBlock) -> String {
    let lost = block.lost_at.map_or_else(String::new, |(fork, branch)| {
        format!(" (fork {fork}, branch {})", letter(branch))
    });
    format!("{} {}{lost}", block.height, block.block.short())
}
