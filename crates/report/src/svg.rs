//! Pictures of a run as SVG: within a page, or as files of their own that look right on light and dark grounds.

mod share;
mod spread;
mod tree;

use maud::{Markup, PreEscaped, html};

pub use share::share;
pub use spread::{Curves, spread};
pub use tree::{tree, tree_of_fork};

/// Colours and strokes of all pictures; variables, so that a page can bring its own.
pub const STYLE: &str = include_str!("svg/style.css");

/// A picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its columns of pixels when it is shown as it is.
    pub width: u32,
    /// Its rows.
    pub height: u32,
    /// What it shows, for those who do not see it.
    pub title: String,
    body: Markup,
}

impl Picture {
    /// The picture as a part of a page that brings [`STYLE`].
    #[must_use]
    pub fn inline(&self) -> Markup {
        html! {
            svg class="nk" viewBox=(format!("0 0 {} {}", self.width, self.height)) width=(self.width) height=(self.height)
                role="img" aria-label=(self.title) {
                (self.body)
            }
        }
    }

    /// The picture as a file.
    #[must_use]
    pub fn file(&self) -> String {
        let Self {
            width,
            height,
            title,
            body,
        } = self;
        let picture = html! {
            svg xmlns="http://www.w3.org/2000/svg" class="nk" viewBox=(format!("0 0 {width} {height}")) width=(width) height=(height) {
                title { (title) }
                style { (PreEscaped(STYLE)) }
                rect class="ground" width="100%" height="100%" {}
                (body)
            }
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n",
            picture.into_string()
        )
    }
}

/// Steps at which an axis from 0 to `end` has its marks: one, two or five times a power of ten, five or so of them.
fn ticks(end: f64) -> Vec<f64> {
    if end <= 0.0 {
        return vec![0.0];
    }
    let rough = end / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let times = [1.0, 2.0, 5.0, 10.0].into_iter().find(|times| times * power >= rough);
    let step = times.unwrap_or(10.0) * power;
    let mut ticks = vec![0.0];
    while ticks.len() < 12 {
        let next = step * f64::from(u32::try_from(ticks.len()).unwrap_or(u32::MAX));
        if next > end * 1.000_1 {
            break;
        }
        ticks.push(next);
    }
    ticks
}

/// A number of seconds in the unit that fits the end of its axis.
fn seconds(at: f64, end: f64) -> String {
    let (value, unit) = match end {
        end if end < 2.0 => (at * 1_000.0, "ms"),
        end if end < 240.0 => (at, "s"),
        end if end < 14_400.0 => (at / 60.0, "min"),
        _ => (at / 3_600.0, "h"),
    };
    let rounded = (value * 100.0).round() / 100.0;
    format!("{rounded} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_marks() {
        assert_eq!(ticks(10.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(0.0), [0.0]);
        assert_eq!(ticks(0.7).len(), 4);
        assert_eq!(
            (seconds(0.5, 1.0), seconds(30.0, 60.0)),
            ("500 ms".into(), "30 s".into())
        );
        assert_eq!(
            (seconds(600.0, 3_000.0), seconds(7_200.0, 1e6)),
            ("10 min".into(), "2 h".into())
        );
    }
}
