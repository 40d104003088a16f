//! Frames of a run in which two halves part and meet again. Its log is kept here, so that frames change only when what draws them does:
//! `nakanet sim scenarios/double-spend-across-a-partition.toml --detail full` wrote it.

use base::Time;
use observe::model::Follow;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tempfile::TempDir;

use super::*;
use crate::app::Wish;
use crate::limits::MAX_ROWS;

const LOG: &[u8] = include_bytes!("double-spend.jsonl.zst");

/// The run's folder, and the run.
pub(crate) fn recorded() -> (TempDir, Follow) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("events-0000.jsonl.zst"), LOG).expect("it can be written");
    let follow = Follow::open(folder.path()).expect("a log");
    (folder, follow)
}

fn frame_of(app: &App, follow: &Follow, (width, height): (u16, u16)) -> String {
    let model = follow.model();
    let moment = model.at(app.time(model)).expect("it is in memory");
    let scene = Scene::new(app, model, &moment);
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("no terminal is needed");
    terminal.draw(|frame| draw(frame, &scene)).expect("it draws");
    terminal.backend().to_string()
}

fn press(app: &mut App, follow: &Follow, keys: &[KeyCode]) {
    for &key in keys {
        let wish = app.key(KeyEvent::new(key, KeyModifiers::NONE), follow.model());
        if let Some(Wish::Explain(block)) = wish {
            app.explain(follow.why_block(&block));
        }
    }
}

#[test]
fn a_finished_run_shows_its_verdict_and_all_its_parts() {
    let (_folder, follow) = recorded();
    insta::assert_snapshot!(frame_of(&App::new(None, None), &follow, (120, 32)));
}

#[test]
fn the_next_fork_is_shown_as_it_opened() {
    let (_folder, follow) = recorded();
    let mut app = App::new(None, None);
    app.head.seek(Time::ZERO, follow.model().now());
    press(&mut app, &follow, &[KeyCode::Char('f'), KeyCode::Right, KeyCode::Right]);
    insta::assert_snapshot!(frame_of(&app, &follow, (120, 32)));
}

#[test]
fn a_small_screen_has_the_tree_and_the_panel_that_keys_are_for() {
    let (_folder, follow) = recorded();
    let mut app = App::new(None, None);
    press(&mut app, &follow, &[KeyCode::Tab]);
    insta::assert_snapshot!(frame_of(&app, &follow, (80, 24)));
}

#[test]
fn a_block_tells_how_it_came_to_everyone() {
    let (_folder, follow) = recorded();
    let mut app = App::new(None, None);
    press(&mut app, &follow, &[KeyCode::Up, KeyCode::Up, KeyCode::Char('w')]);
    insta::assert_snapshot!(frame_of(&app, &follow, (80, 24)));
    press(&mut app, &follow, &[KeyCode::Esc, KeyCode::Char('?')]);
    insta::assert_snapshot!(frame_of(&app, &follow, (80, 24)));
}

#[test]
fn a_screen_that_is_too_small_says_so_and_none_is_too_odd() {
    let (_folder, follow) = recorded();
    let app = App::new(None, None);
    assert!(frame_of(&app, &follow, (39, 12)).contains("at least 40 x 10"));
    for size in [(40, 10), (95, 10), (96, 10), (300, 90), (1, 1)] {
        frame_of(&app, &follow, size);
    }
    assert_eq!(window(&[1, 2, 3, 4], 2, 3), [3, 4]);
    assert_eq!(window(&[1, 2, 3, 4], 2, 0), [1, 2]);
    assert_eq!(window(&[1, 2], 9, 0), [1, 2]);
    const { assert!(MAX_ROWS <= observe::limits::MAX_ROWS) };
}
