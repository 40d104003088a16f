//! Times two things in one run, by turns: what we do, and the least that anybody could do for it.

use std::fs;
use std::time::{Duration, Instant};

/// Each figure is the best of so many runs, as other programs may want the cores too.
const RUNS: u32 = 15;

/// What one run took.
#[derive(Clone, Copy)]
struct Took {
    wall: Duration,
    /// On all cores together.
    cpu: Duration,
}

impl Took {
    const MAX: Self = Self {
        wall: Duration::MAX,
        cpu: Duration::MAX,
    };

    fn by(run: &mut impl FnMut()) -> Self {
        let (begin, cpu) = (Instant::now(), cpu_time());
        run();
        Self {
            wall: begin.elapsed(),
            cpu: cpu_time() - cpu,
        }
    }

    fn best(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            cpu: self.cpu.min(other.cpu),
        }
    }
}

/// Prints how many of `count` things a second `ours` does, how many `limit` does, and the one in parts of the other: by the clock, which
/// others on the machine disturb, and by CPU time, which knows of no waiting.
///
/// They run by turns, so that whatever else the machine does slows both.
pub(crate) fn race(what: &str, count: u32, mut ours: impl FnMut(), mut limit: impl FnMut()) {
    let mut best = [Took::MAX; 2];
    for _ in 0..RUNS {
        best[0] = best[0].best(Took::by(&mut ours));
        best[1] = best[1].best(Took::by(&mut limit));
    }
    let rate = |took: Duration| f64::from(count) / took.as_secs_f64();
    let [wall, cpu] = [best.map(|took| rate(took.wall)), best.map(|took| rate(took.cpu))];
    println!(
        "{what:<52}{:>11.0} /s, limit {:>11.0}: {:.2}; by CPU time {:>11.0}, {:>11.0}: {:.2}",
        wall[0],
        wall[1],
        wall[0] / wall[1],
        cpu[0],
        cpu[1],
        cpu[0] / cpu[1],
    );
}

/// What this process's threads have been on a core for, as Linux tells it to the nanosecond.
pub(crate) fn cpu_time() -> Duration {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux tells of threads");
    let nanos = tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
        .filter_map(|stat| stat.split(' ').next()?.parse::<u64>().ok())
        .sum();
    Duration::from_nanos(nanos)
}
