//! Steps of operators, beside those of the file.

use super::*;

impl Stage {
    fn instruct(&mut self, text: &str) -> Result<Vec<ControlReport>, String> {
        let mut reports = Vec::new();
        let instruction = Instruction::new("console", text);
        let around = (self.now, &self.world);
        let begun = self
            .director
            .instruct(&instruction, around, &mut self.orders, &mut reports);
        match begun {
            Ok(_) => Ok(reports),
            Err(diagnostics) => Err(diagnostics.iter().map(|fault| format!("{fault}\n")).collect()),
        }
    }

    fn controls(&mut self) -> Vec<ControlReport> {
        let mut reports = Vec::new();
        self.director
            .look_at_controls(self.now, &self.world, &mut self.orders, &mut reports);
        reports
    }
}

fn waiting() -> Stage {
    let mut stage = Stage::new(vec![StepKind::Sleep(Duration::from_secs(60))]);
    stage.advance();
    stage
}

#[test]
fn a_partition_by_hand_is_ordered_awaited_and_healed_by_its_name() {
    let mut stage = waiting();
    let begun = stage
        .instruct("{ partition = [[\"n0\", \"n1\"], [\"n2..n3\"]], as = \"mine\" }")
        .expect("a sound step");
    assert_eq!((begun[0].action, &begun[0].state), ("partition", &StepState::Started));
    assert_eq!(
        stage.orders(),
        ["Sever(NodeId(0), NodeId(3))", "Sever(NodeId(1), NodeId(2))"]
    );
    assert_eq!(stage.controls(), [], "nothing has shown yet");
    stage.now = Time::from_millis(30);
    stage.disconnect(1, 2);
    stage.disconnect(0, 3);
    let ended = stage.controls();
    let found = "2 links down".to_owned();
    assert_eq!(ended[0].state, StepState::Passed { found });
    assert_eq!(ended[0].took, Duration::from_millis(30));
    assert!(!stage.director.is_controlled());
    stage.instruct("heal = \"mine\"").expect("braces may be left out");
    assert_eq!(stage.orders().len(), 2);
    assert_eq!(stage.advance(), None, "the file's own step goes on");
}

#[test]
fn a_step_is_held_against_what_is_so_now() {
    for (text, message) in [
        ("start = \"n0\"", "`n0` already runs at this step"),
        ("kill = \"n9\"", "unknown node `n9`"),
        ("heal = \"left\"", "`left` is not in force at this step"),
        (
            "partition = [[\"n0\"], [\"n1\"]], as = \"left\"",
            "already called `left`",
        ),
        ("send = \"alice\", to = \"bob\", coins = 1", "`alice` has no coins"),
        ("disconnect = [\"n0\", \"n2\"]", "`n0` and `n2` are not linked"),
        ("mine = 1, on = \"n0\", until = 3", "unknown key `until`"),
        ("mine = 1 on n0", "expected"),
        ("never = \"reorg\"", "a step of an operator has an end"),
        ("repeat = 2, steps = [{ sleep = \"1s\" }]", "`repeat` is for files"),
        ("pause = \"n1\"", "a simulation has no machine"),
        ("", "a step must say what happens"),
    ] {
        let mut stage = waiting();
        let refusal = stage.instruct(text).expect_err("a broken step");
        assert!(
            refusal.starts_with("console:") && refusal.contains(message),
            "{refusal}"
        );
        assert!(stage.orders.is_empty() && !stage.director.is_controlled());
    }
}

#[test]
fn what_a_step_of_the_file_did_is_known_to_an_operator() {
    let mine = Action::Mine {
        blocks: 1,
        on: NodeId(0),
    };
    let kill = Action::Kill { nodes: vec![NodeId(3)] };
    let steps = [kill, mine].map(|action| StepKind::Act {
        action,
        within: Duration::from_secs(9),
    });
    let mut stage = Stage::new(steps.into());
    stage.advance();
    stage.world.node_stopped(NodeId(3));
    stage.advance();
    let refusal = stage.instruct("mine = 1, on = \"n3\"").expect_err("it is down");
    assert!(refusal.contains("`n3` does not run"), "{refusal}");
    // The file's block and the operator's are two blocks.
    stage.instruct("mine = 1, on = \"n0\"").expect("n0 runs");
    stage.mine(0, 1);
    assert_eq!(stage.controls(), []);
    assert_eq!(stage.advance(), Some(Outcome::Passed));
    stage.mine(0, 2);
    assert!(matches!(stage.controls()[0].state, StepState::Passed { .. }));
}

#[test]
fn a_step_that_fails_does_not_fail_the_run() {
    let mut stage = waiting();
    let reports = stage
        .instruct("expect = \"height\", height = 7, on = \"n0\"")
        .expect("sound");
    assert_eq!(reports.len(), 1);
    assert!(matches!(stage.controls()[0].state, StepState::Failed { .. }));
    stage.instruct("mine = 1, on = \"n0\", within = \"2s\"").expect("sound");
    assert_eq!(stage.director.deadline(), Some(Time::from_secs(2)));
    stage.now = Time::from_secs(2);
    let StepState::Failed { expected, found } = &stage.controls()[0].state else {
        panic!("no block was mined")
    };
    assert_eq!(
        (expected.as_str(), found.as_str()),
        ("an effect within 2.0 s", "0 of 1 mined by n0")
    );
    assert_eq!(stage.advance(), None);
    stage.now = Time::from_secs(60);
    assert_eq!(stage.advance(), Some(Outcome::Passed));
}

#[test]
fn new_names_are_of_the_run_from_then_on() {
    let mut stage = waiting();
    stage
        .instruct("fund = \"dora\", coins = 5, on = \"n0\"")
        .expect("sound");
    let refusal = stage
        .instruct("fund = \"dora\", coins = 46, on = \"n0\"")
        .expect_err("too much");
    assert!(refusal.contains("may create only 50"), "{refusal}");
    stage.instruct("isolate = \"n1\", as = \"alone\"").expect("sound");
    let refusal = stage.instruct("isolate = \"n1\", as = \"alone\"").expect_err("taken");
    assert!(refusal.contains("already called `alone`"), "{refusal}");
    let refusal = stage.instruct("heal = \"alon\"").expect_err("unknown");
    assert!(refusal.contains("did you mean `alone`?"), "{refusal}");
}

#[test]
fn a_run_takes_no_more_steps_at_a_time_than_its_bounds_and_ends_those_that_go_on() {
    use crate::limits::{MAX_CONTROLS, MAX_INSTRUCTION_BYTES};
    let mut stage = waiting();
    for _ in 0..MAX_CONTROLS {
        stage.instruct("sleep = \"1s\"").expect("there is room");
    }
    let refusal = stage.instruct("sleep = \"1s\"").expect_err("no room");
    assert!(refusal.contains("16 steps of operators go on already"), "{refusal}");
    let mut reports = Vec::new();
    stage.director.end_controls(stage.now, &mut reports);
    assert_eq!(reports.len(), MAX_CONTROLS);
    assert!(!stage.director.is_controlled());
    let long = format!("sleep = \"1s\" #{}", "x".repeat(MAX_INSTRUCTION_BYTES));
    let refusal = stage.instruct(&long).expect_err("too long");
    assert!(refusal.contains("at most 65536 are allowed"), "{refusal}");
}
