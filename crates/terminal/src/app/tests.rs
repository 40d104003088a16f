//! Keys and what they come to.

use observe::Operator;
use observe::model::Follow;

use super::*;
use crate::draw::tests::recorded;
use crate::limits::SPEEDS;

fn press(app: &mut App, follow: &Follow, keys: &str) -> Option<Wish> {
    let mut wish = None;
    for letter in keys.chars() {
        let code = if letter == '\n' {
            KeyCode::Enter
        } else {
            KeyCode::Char(letter)
        };
        wish = app.key(KeyEvent::new(code, KeyModifiers::NONE), follow.model());
    }
    wish
}

/// A run that goes on: the same log without its end.
fn live() -> Model {
    let (folder, _) = recorded();
    let mut model = Model::new();
    for event in observe::log::read(folder.path()).expect("a log") {
        let event = event.expect("an event");
        if event.kind != "run_ended" {
            model.push(&event);
        }
    }
    model
}

#[test]
fn keys_go_from_fork_to_fork_and_leave() {
    let (_folder, follow) = recorded();
    let mut app = App::new(None, None);
    press(&mut app, &follow, "gf");
    let fork = follow.model().forks()[0].opened;
    assert_eq!(app.time(follow.model()), fork);
    press(&mut app, &follow, "f");
    assert!(app.head.is_newest(), "there is no other fork");
    press(&mut app, &follow, "F");
    assert_eq!(app.time(follow.model()), fork);
    press(&mut app, &follow, " ");
    assert!(app.head.plays());
    app.pass(Duration::from_secs(3_600), follow.model());
    assert!(app.head.is_newest());
    assert_eq!(press(&mut app, &follow, "q"), Some(Wish::Leave));
    let end = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(app.key(end, follow.model()), Some(Wish::EndRun));
}

#[test]
fn a_run_that_is_over_takes_no_steps() {
    let (_folder, follow) = recorded();
    let (operator, desk) = Operator::new();
    let mut app = App::new(Some(operator), None);
    press(&mut app, &follow, "m");
    assert_eq!(app.said, Some(("the run is over".to_owned(), true)));
    assert!(desk.take().is_none());
    let model = live();
    let mut app = App::new(None, None);
    app.key(KeyEvent::new(KeyCode::Char('h'), KeyModifiers::NONE), &model);
    assert!(
        app.said
            .is_some_and(|(said, bad)| bad && said.contains("takes no steps"))
    );
}

#[test]
fn keys_hand_in_steps_that_the_language_knows() {
    let model = live();
    let (operator, desk) = Operator::new();
    let mut app = App::new(Some(operator), None);
    let press = |app: &mut App, keys: &str| {
        for letter in keys.chars() {
            let code = if letter == '\n' {
                KeyCode::Enter
            } else {
                KeyCode::Char(letter)
            };
            app.key(KeyEvent::new(code, KeyModifiers::NONE), &model);
        }
    };
    press(&mut app, "mhp");
    assert!(matches!(app.overlay, Some(Overlay::Prompt(_))), "a cut is shown first");
    press(&mut app, "\n:sleep = \"1s\"\nx\n");
    let steps: Vec<String> = std::iter::from_fn(|| desk.take())
        .map(|step| step.instruction.text.to_string())
        .collect();
    assert_eq!(
        steps,
        [
            "mine = 1, on = \"n0\"",
            "heal = \"all\"",
            "partition = [[\"n0..n3\"], [\"n4..n7\"]], as = \"cut-1\"",
            "sleep = \"1s\"",
            "kill = \"n0\"",
        ]
    );
    // The requests are gone, and so are those who would have answered.
    app.pass(Duration::ZERO, &model);
    assert_eq!(app.said, Some(("the run is over".to_owned(), true)));
}

#[test]
fn the_tempo_of_a_simulation_is_set_where_it_is_at_its_newest() {
    let model = live();
    let tempo = Arc::new(Tempo::new(1_000));
    let mut app = App::new(None, Some(Arc::clone(&tempo)));
    let mut press = |letter| app.key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE), &model);
    press(']');
    assert_eq!(tempo.speed(), 2_000);
    press(' ');
    assert!(tempo.rests());
    press(' ');
    for _ in 0..100 {
        press('[');
    }
    assert_eq!((tempo.speed(), tempo.rests()), (SPEEDS.0, false));
}

#[test]
fn a_prompt_takes_no_more_than_its_bound() {
    let model = live();
    let (operator, _desk) = Operator::new();
    let mut app = App::new(Some(operator), None);
    let keys = std::iter::once(':').chain(std::iter::repeat_n('a', MAX_PROMPT_BYTES + 50));
    for letter in keys {
        app.key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE), &model);
    }
    let Some(Overlay::Prompt(text)) = &app.overlay else {
        panic!("it is still open")
    };
    assert_eq!(text.len(), MAX_PROMPT_BYTES);
}

#[test]
fn so_many_steps_wait_for_their_answers() {
    let model = live();
    let (operator, desk) = Operator::new();
    let mut app = App::new(Some(operator), None);
    let heal = |app: &mut App| app.key(KeyEvent::new(KeyCode::Char('h'), KeyModifiers::NONE), &model);
    for _ in 0..MAX_PENDING {
        heal(&mut app);
        assert!(app.said.as_ref().is_some_and(|(_, bad)| !bad), "{:?}", app.said);
    }
    heal(&mut app);
    assert_eq!(app.said, Some(("too many steps wait already".to_owned(), true)));
    assert_eq!(std::iter::from_fn(|| desk.take()).count(), MAX_PENDING);
}
