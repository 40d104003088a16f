//! What the view shows, and how keys change it.

use std::sync::Arc;
use std::time::Duration;

use base::{NodeId, Time};
use chain::BlockId;
use observe::Operator;
use observe::layout::Content;
use observe::model::{MarkKind, Model, Moment, TreePicture, WhyBlock, WhyError};
use observe::operator::{Answer, Reply};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use scenario::Instruction;

use crate::deeds;
use crate::limits::{MAX_PENDING, MAX_PROMPT_BYTES, MAX_ROWS};
use crate::playhead::Playhead;
use crate::tempo::Tempo;

/// A part of the screen that keys are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Panel {
    Tree,
    Nodes,
    Steps,
    Events,
}

/// What lies over the panels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Overlay {
    Help,
    /// How a block came to everyone, and what each made of it.
    Why(Box<WhyBlock>),
    /// A step that is being typed.
    Prompt(String),
}

/// What a key asks of whoever shows the view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wish {
    /// To leave the view.
    Leave,
    /// To end the run in good order.
    EndRun,
    /// To be told of a block: [`App::explain`].
    Explain(BlockId),
}

/// The view.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) head: Playhead,
    /// Who hands in steps, where the run takes any.
    operator: Option<Operator>,
    /// The tempo of a simulation that is looked at.
    pub(crate) tempo: Option<Arc<Tempo>>,
    pub(crate) focus: Panel,
    /// The block that is chosen in the tree; the newest when none is.
    pub(crate) block: Option<BlockId>,
    /// The place of the node that is chosen.
    pub(crate) node: usize,
    pub(crate) overlay: Option<Overlay>,
    /// What the last step or key came to, and whether it is bad news.
    pub(crate) said: Option<(String, bool)>,
    pending: Vec<(String, Reply)>,
}

impl App {
    pub(crate) const fn new(operator: Option<Operator>, tempo: Option<Arc<Tempo>>) -> Self {
        Self {
            head: Playhead::new(),
            operator,
            tempo,
            focus: Panel::Tree,
            block: None,
            node: 0,
            overlay: None,
            said: None,
            pending: Vec::new(),
        }
    }

    /// Whether steps can be handed in to this run now.
    pub(crate) fn takes_steps(&self, model: &Model) -> bool {
        self.operator.is_some() && model.ended().is_none()
    }

    /// The time that is shown.
    pub(crate) fn time(&self, model: &Model) -> Time {
        self.head.time(model.now())
    }

    /// The tree at a moment, as far as it is drawn.
    pub(crate) fn tree(moment: &Moment<'_>) -> TreePicture {
        moment.tree(observe::layout::View {
            rows: MAX_ROWS,
            ..observe::layout::View::default()
        })
    }

    /// Lets real time pass: a replay moves on, answers come.
    pub(crate) fn pass(&mut self, real: Duration, model: &Model) {
        self.head.pass(real, model.now());
        let mut news = None;
        self.pending.retain(|(step, reply)| {
            let Some(answer) = reply.ready() else { return true };
            news = Some(match answer {
                Ok(Answer::Passed { found, .. }) => (format!("{step}: {found}"), false),
                Ok(Answer::Failed { expected, found }) => (format!("{step}: expected {expected}, found {found}"), true),
                Ok(Answer::Refused(diagnostics)) => {
                    let first = diagnostics.first().map_or(String::new(), |first| first.message.clone());
                    let help = diagnostics.first().and_then(|first| first.help.clone());
                    (
                        format!("{first}{}", help.map_or(String::new(), |help| format!("; {help}"))),
                        true,
                    )
                }
                Err(over) => (over.to_string(), true),
            });
            false
        });
        self.said = news.or_else(|| self.said.take());
    }

    /// Takes in a key; `model` is the run as far as it is known.
    #[expect(clippy::wildcard_enum_match_arm, reason = "other keys do nothing")]
    pub(crate) fn key(&mut self, key: KeyEvent, model: &Model) -> Option<Wish> {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return matches!(key.code, KeyCode::Char('c')).then_some(Wish::EndRun);
        }
        if matches!(self.overlay, Some(Overlay::Prompt(_))) {
            self.key_in_prompt(key.code);
            return None;
        }
        if self.overlay.is_some() && matches!(key.code, KeyCode::Esc | KeyCode::Enter | KeyCode::Char('w' | '?' | 'q'))
        {
            self.overlay = None;
            return None;
        }
        self.said = None;
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return Some(Wish::Leave),
            KeyCode::Char('?') => self.overlay = Some(Overlay::Help),
            KeyCode::Tab => self.focus = self.focus.next(),
            KeyCode::BackTab => self.focus = self.focus.next().next().next(),
            KeyCode::Char(' ') => self.toggle(model),
            KeyCode::Char('+' | '=' | ']') => self.change_speed(true, model),
            KeyCode::Char('-' | '[') => self.change_speed(false, model),
            KeyCode::Left => self.seek_mark(false, model, &|_| true),
            KeyCode::Right => self.seek_mark(true, model, &|_| true),
            KeyCode::Char('f') => self.seek_mark(true, model, &|kind| kind == MarkKind::ForkOpened),
            KeyCode::Char('F') => self.seek_mark(false, model, &|kind| kind == MarkKind::ForkOpened),
            KeyCode::Home | KeyCode::Char('g') => self.head.seek(Time::ZERO, model.now()),
            KeyCode::End | KeyCode::Char('G') => self.head.seek(model.now(), model.now()),
            KeyCode::Up | KeyCode::Char('k') if self.focus == Panel::Tree => self.choose_block(false, model),
            KeyCode::Down | KeyCode::Char('j') if self.focus == Panel::Tree => self.choose_block(true, model),
            KeyCode::Up | KeyCode::Char('k') => self.node = self.node.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.node = (self.node + 1).min(model.cast().len().saturating_sub(1)),
            KeyCode::Enter | KeyCode::Char('w') => return self.chosen(model).map(Wish::Explain),
            KeyCode::Char(letter) => self.deed(letter, model),
            _ => {}
        }
        None
    }

    /// Shows what was found out about the chosen block, or why nothing was.
    pub(crate) fn explain(&mut self, why: Result<Option<WhyBlock>, WhyError>) {
        match why {
            Ok(Some(why)) => self.overlay = Some(Overlay::Why(Box::new(why))),
            Ok(None) => self.said = Some(("nobody has seen it".to_owned(), true)),
            Err(error) => self.said = Some((error.to_string(), true)),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other keys do nothing")]
    fn key_in_prompt(&mut self, key: KeyCode) {
        let Some(Overlay::Prompt(text)) = &mut self.overlay else {
            return;
        };
        match key {
            KeyCode::Esc => self.overlay = None,
            KeyCode::Backspace => {
                text.pop();
            }
            KeyCode::Char(letter) if text.len() < MAX_PROMPT_BYTES => text.push(letter),
            KeyCode::Enter => {
                let step = std::mem::take(text);
                self.overlay = None;
                if !step.trim().is_empty() {
                    self.hand_in(&step);
                }
            }
            _ => {}
        }
    }

    /// Stops time or lets it go on: a simulation's own at its newest, else that of the replay.
    fn toggle(&mut self, model: &Model) {
        let is_over = model.ended().is_some();
        match &self.tempo {
            Some(tempo) if self.head.is_newest() && !is_over => tempo.toggle(),
            Some(_) | None => self.head.toggle(model.now(), is_over),
        }
    }

    fn change_speed(&mut self, faster: bool, model: &Model) {
        match &self.tempo {
            Some(tempo) if self.head.is_newest() && model.ended().is_none() => tempo.change_speed(faster),
            Some(_) | None => self.head.change_speed(faster, model.now()),
        }
    }

    /// Goes to the next or the last mark of some kind.
    fn seek_mark(&mut self, forward: bool, model: &Model, wanted: &dyn Fn(MarkKind) -> bool) {
        let now = self.time(model);
        let mut marks = model.marks().iter().filter(|mark| wanted(mark.kind));
        let found = if forward {
            marks.find(|mark| mark.at > now)
        } else {
            marks.rev().find(|mark| mark.at < now)
        };
        match (found, forward) {
            (Some(mark), _) => self.head.seek(mark.at, model.now()),
            (None, true) => self.head.seek(model.now(), model.now()),
            (None, false) => self.head.seek(Time::ZERO, model.now()),
        }
    }

    /// Chooses the next block above or below in the tree.
    fn choose_block(&mut self, down: bool, model: &Model) {
        let Ok(moment) = model.at(self.time(model)) else { return };
        let picture = Self::tree(&moment);
        let blocks: Vec<BlockId> = picture.rows.iter().filter_map(|row| block_of(&row.content)).collect();
        let here = self
            .block
            .and_then(|block| blocks.iter().position(|other| *other == block));
        let here = here.unwrap_or(blocks.len().saturating_sub(1));
        let next = if down { here + 1 } else { here.saturating_sub(1) };
        // Below the newest nothing is chosen, and the newest is followed again.
        self.block = blocks.get(next).copied().filter(|_| next + 1 < blocks.len());
    }

    /// The block that keys are about: the chosen one, or the best that is known.
    pub(crate) fn chosen(&self, model: &Model) -> Option<BlockId> {
        self.block.or_else(|| {
            let moment = model.at(self.time(model)).ok()?;
            moment.best().map(|best| model.chain().block(best).id)
        })
    }

    /// A key that does something to the run.
    fn deed(&mut self, letter: char, model: &Model) {
        if !matches!(letter, 'p' | 'h' | 'm' | 'x' | ':') {
            return;
        }
        if !self.takes_steps(model) {
            let why = if model.ended().is_some() {
                "the run is over"
            } else {
                "this run takes no steps from here"
            };
            self.said = Some((why.to_owned(), true));
            return;
        }
        let node = NodeId::at(self.node.min(model.cast().len().saturating_sub(1)));
        let Ok(now) = model.at(model.now()) else { return };
        let runs = now.running().any(|running| running == node);
        match letter {
            // What cannot be taken back is shown before it is done.
            'p' => self.overlay = deeds::partition(model, &now).map(Overlay::Prompt),
            'x' => self.overlay = Some(Overlay::Prompt(deeds::kill_or_start(model, node, runs))),
            'h' => self.hand_in(&deeds::heal()),
            'm' => self.hand_in(&deeds::mine(model, node)),
            _ => self.overlay = Some(Overlay::Prompt(String::new())),
        }
    }

    fn hand_in(&mut self, step: &str) {
        let Some(operator) = &self.operator else { return };
        if self.pending.len() >= MAX_PENDING {
            self.said = Some(("too many steps wait already".to_owned(), true));
            return;
        }
        match operator.hand_in(Instruction::new("terminal", step)) {
            Ok(reply) => {
                self.said = Some((format!("{step} …"), false));
                self.pending.push((step.to_owned(), reply));
            }
            Err(reason) => self.said = Some((reason.to_string(), true)),
        }
    }
}

impl Panel {
    const fn next(self) -> Self {
        match self {
            Self::Tree => Self::Nodes,
            Self::Nodes => Self::Steps,
            Self::Steps => Self::Events,
            Self::Events => Self::Tree,
        }
    }
}

/// The block of a row.
pub(crate) const fn block_of(content: &Content) -> Option<BlockId> {
    match content {
        Content::Block { block, .. } => Some(*block),
        Content::Fork | Content::Fold { .. } => None,
    }
}

#[cfg(test)]
mod tests;
