//! Times, shares and texts as people read them.

use base::Time;

use crate::limits::MAX_TEXT;

/// A moment of a run.
pub(crate) fn moment(at: Time) -> String {
    let micros = at.as_micros();
    let (seconds, millis) = (micros / 1_000_000, micros / 1_000 % 1_000);
    match seconds {
        0..3_600 => format!("{seconds}.{millis:03} s"),
        _ => format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60),
    }
}

/// A span of time in microseconds.
pub(crate) fn span(micros: u64) -> String {
    scenario::words::duration(std::time::Duration::from_micros(micros))
}

/// A text of a scenario or a node, cut when it is long.
pub(crate) fn clipped(text: &str) -> String {
    if text.chars().count() <= MAX_TEXT {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(MAX_TEXT).collect();
    cut.push('…');
    cut
}

/// Names or ranges in a row, cut when there are many.
pub(crate) fn listed(names: &[String]) -> String {
    match names {
        [] => "nobody".to_owned(),
        names => clipped(&names.join(", ")),
    }
}

/// A share in percent.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
