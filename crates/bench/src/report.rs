//! The results: a table with goal, figure and verdict, on the terminal and in `docs/performance.md`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use recado_identity::clock::SystemClock;
use recado_model::Clock;

use crate::{
    memory,
    rounds::Figures,
    timing::{self, FOUND, LIMIT},
};

/// The figures stand between two such lines of the document, one pair for each measurement.
fn marks(name: &str) -> [String; 2] {
    [
        format!("<!-- figures: {name} -->"),
        format!("<!-- end: {name} -->"),
    ]
}

#[derive(Default)]
pub struct Report {
    pub machine: String,
    pub rows: Vec<(&'static str, f64, Figures)>,
    pub timing: Option<timing::Outcome>,
    pub memory: Option<memory::Outcome>,
}

/// The machine that it was measured on, without its name.
pub fn machine() -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = about
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unknown processor", |(_, name)| name.trim());
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown");
    let debug = if cfg!(debug_assertions) {
        ", UNOPTIMISED BUILD: the figures mean nothing"
    } else {
        ""
    };
    Ok(format!(
        "{cores} cores ({model}), shared by the gateway and the load; load average at the start {load}{debug}"
    ))
}

pub fn verdict(held: bool) -> &'static str {
    if held { "held" } else { "**missed**" }
}

impl Report {
    pub fn print(&self) {
        println!("{}", self.markdown().replace("**", ""));
    }

    /// Markdown whose tables are aligned, so that the terminal shows them as well.
    fn markdown(&self) -> String {
        let mut text = heading(&self.machine);
        let mut cost = vec![words([
            "call",
            "goal",
            "CPU ratio",
            "verdict",
            "middle half",
            "throughput ratio",
            "CPU per request, bare → call",
        ])];
        for (name, goal, figures) in &self.rows {
            cost.push(vec![
                (*name).to_owned(),
                format!("≥ {goal:.2}"),
                format!("{:.2}", figures.cpu),
                verdict(figures.cpu >= *goal).to_owned(),
                format!("{:.2} to {:.2}", figures.cpu_low, figures.cpu_high),
                format!("{:.2}", figures.throughput),
                format!("{:.1} → {:.1} µs", figures.bare_us, figures.row_us),
            ]);
        }
        text.push_str(&table(&cost));
        if let Some(outcome) = &self.timing {
            text.push('\n');
            text.push_str(&times(outcome));
        }
        if let Some(memory) = &self.memory {
            let grown = memory.after_kib.saturating_sub(memory.before_kib);
            let late = memory.after_kib.saturating_sub(memory.half_kib);
            let mib = |kib: u64| format!("{:.1} MiB", kib as f64 / 1024.0);
            let goal = format!("≤ {}", mib(memory::GOAL_KIB));
            let held = grown <= memory::GOAL_KIB;
            text.push('\n');
            text.push_str(&table(&[
                words([
                    "random tokens",
                    "goal",
                    "grown",
                    "verdict",
                    "before",
                    "of it in the second half",
                    "answers",
                ]),
                vec![
                    memory.tokens.to_string(),
                    goal,
                    mib(grown),
                    verdict(held).to_owned(),
                    mib(memory.before_kib),
                    mib(late),
                    format!("{} × 401, {} × 429", memory.unknown, memory.limited),
                ],
            ]));
        }
        text
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        write(path, "auth", &self.markdown())
    }

    /// A missed goal is a figure; a blind test is an error.
    pub fn must_be_sound(&self) -> Result<()> {
        self.timing.as_ref().map_or(Ok(()), must_see)
    }
}

/// Fails when the planted leak was not found.
pub fn must_see(outcome: &timing::Outcome) -> Result<()> {
    let z = outcome.control.z;
    ensure!(
        z.abs() > FOUND,
        "the planted leak was not found (z = {z:.2}): the comparison of times says nothing. Run it again on a quieter machine, or with more --pairs"
    );
    Ok(())
}

/// When and on what it was measured.
pub fn heading(machine: &str) -> String {
    let date = SystemClock.now().to_rfc3339();
    let date = date.split('T').next().unwrap_or_default();
    format!("Measured {date} on {machine}.\n\n")
}

/// The table of compared times.
pub fn times(outcome: &timing::Outcome) -> String {
    let mut times = vec![words([
        "refusals compared",
        "goal",
        "z",
        "verdict",
        "medians",
    ])];
    let control = [(&outcome.control, true)];
    let real = outcome.real.iter().map(|one| (one, false));
    for (one, planted) in real.chain(control) {
        let (goal, held) = match planted {
            true => (format!("|z| > {FOUND}"), one.z.abs() > FOUND),
            false => (format!("|z| < {LIMIT}"), one.z.abs() < LIMIT),
        };
        times.push(vec![
            one.name.to_owned(),
            goal,
            format!("{:.2}", one.z),
            verdict(held).to_owned(),
            format!("{:.0} and {:.0} µs", one.first_us, one.second_us),
        ]);
    }
    table(&times)
}

/// Replaces what stands between the marks of that name.
pub fn write(path: &Path, name: &str, figures: &str) -> Result<()> {
    let old =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let new = replaced(&old, name, figures).with_context(|| {
        format!(
            "{} has no lines {}",
            path.display(),
            marks(name).join(" and ")
        )
    })?;
    std::fs::write(path, new).with_context(|| format!("cannot write {}", path.display()))
}

fn replaced(old: &str, name: &str, figures: &str) -> Option<String> {
    let [begin, end] = marks(name);
    let (before, rest) = old.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n\n{figures}\n{end}{after}"))
}

pub fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

/// The first row is the head.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            text.push_str(&format!("| {cell:width$} "));
        }
        text.push_str("|\n");
        if at == 0 {
            for width in &widths {
                text.push_str(&format!("|{}", "-".repeat(width + 2)));
            }
            text.push_str("|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_replace_the_figures() {
        let [begin, end] = marks("auth");
        let page = format!("# Title\n{begin}\nold\n{end}\nrest\n");
        let once = replaced(&page, "auth", "| a |\n").expect("marks");
        assert_eq!(once, format!("# Title\n{begin}\n\n| a |\n\n{end}\nrest\n"));
        assert_eq!(
            replaced(&once, "auth", "| a |\n").as_deref(),
            Some(once.as_str())
        );
        assert_eq!(replaced(&once, "other", ""), None);
    }

    #[test]
    fn a_blind_comparison_is_an_error_and_a_missed_goal_is_not() {
        let with = |real: f64, control: f64| {
            let one = |z| timing::Comparison {
                name: "x",
                z,
                first_us: 1.0,
                second_us: 1.0,
            };
            Report {
                timing: Some(timing::Outcome {
                    real: vec![one(real)],
                    control: one(control),
                }),
                ..Report::default()
            }
        };
        assert!(with(0.0, 2.0).must_be_sound().is_err());
        let missed = with(-9.0, -15.0);
        assert!(missed.must_be_sound().is_ok());
        assert!(missed.markdown().contains("**missed**"));
    }
}
