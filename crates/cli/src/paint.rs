//! Colour. `anstream` takes it away where it is not wanted: pipes, `NO_COLOR`, dumb terminals.

use std::fmt::{self, Display};

use anstyle::{AnsiColor, Style};

/// A text in a style.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Painted<T> {
    text: T,
    style: Style,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.style.render(), self.text, self.style.render_reset())
    }
}

/// What went well.
pub(crate) fn good<T: Display>(text: T) -> Painted<T> {
    Painted {
        text,
        style: AnsiColor::Green.on_default(),
    }
}

/// What went wrong.
pub(crate) fn bad<T: Display>(text: T) -> Painted<T> {
    Painted {
        text,
        style: AnsiColor::Red.on_default().bold(),
    }
}

/// What wants attention.
pub(crate) fn warning<T: Display>(text: T) -> Painted<T> {
    Painted {
        text,
        style: AnsiColor::Yellow.on_default(),
    }
}

/// What may be passed over.
pub(crate) fn dim<T: Display>(text: T) -> Painted<T> {
    Painted {
        text,
        style: Style::new().dimmed(),
    }
}

/// A heading.
pub(crate) fn strong<T: Display>(text: T) -> Painted<T> {
    Painted {
        text,
        style: Style::new().bold(),
    }
}
