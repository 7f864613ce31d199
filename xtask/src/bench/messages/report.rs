//! The figures as tables, on the terminal and in `docs/performance.md`.

use anyhow::{Context, Result};

use super::crowd::Outcome;
use super::documents::Growth;
use super::kinds::Cost;
use super::ledger::Side;
use crate::tools;

const PAGE: &str = "docs/performance.md";

/// What was measured of the three parts.
#[derive(Default)]
pub struct Report {
    pub documents: Option<(u64, Vec<Growth>)>,
    pub crowd: Option<Outcome>,
    pub kinds: Option<Vec<Cost>>,
}

impl Report {
    pub fn print(&self) {
        for (_, table) in self.tables() {
            println!("\n{}", table.replace("**", ""));
        }
    }

    /// Puts the tables that there are into the page, each between its marks.
    pub fn write(&self, heading: &str) -> Result<()> {
        let path = tools::root().join(PAGE);
        let mut page =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {PAGE}"))?;
        for (name, table) in self.tables() {
            page = with_figures(&page, name, &format!("{heading}\n\n{table}"))?;
        }
        std::fs::write(&path, page).with_context(|| format!("cannot write {PAGE}"))
    }

    /// By the names of their marks.
    fn tables(&self) -> Vec<(&'static str, String)> {
        let documents = self.documents.as_ref();
        let documents = documents.map(|(idle, rows)| ("documents", of_documents(*idle, rows)));
        let crowd = self.crowd.as_ref().map(|it| ("crowd", of_crowd(it)));
        let kinds = self.kinds.as_ref().map(|it| ("kinds", of_kinds(it)));
        [documents, crowd, kinds].into_iter().flatten().collect()
    }

    /// Bytes were judged on the way; a message that is lost is no figure but a fault.
    pub fn must_be_right(&self) -> Result<()> {
        let Some(crowd) = &self.crowd else {
            return Ok(());
        };
        anyhow::ensure!(
            crowd.out.is_right() && crowd.back.is_right(),
            "messages were lost, doubled or out of order: see the table"
        );
        Ok(())
    }
}

fn mib(kib: u64) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}

fn verdict(held: bool) -> &'static str {
    if held { "held" } else { "**missed**" }
}

fn of_documents(idle_kib: u64, rows: &[Growth]) -> String {
    let mut cells = vec![words([
        "64 MiB document",
        "at once",
        "goal",
        "memory grown by",
        "verdict",
        "left afterwards",
        "took",
    ])];
    for row in rows {
        cells.push(vec![
            row.what.to_owned(),
            row.at_once.to_string(),
            format!("< {}", mib(row.goal_kib)),
            mib(row.grown_kib),
            verdict(row.grown_kib < row.goal_kib).to_owned(),
            mib(row.left_kib),
            format!("{:.1} s", row.took.as_secs_f64()),
        ]);
    }
    format!(
        "Idle, the gateway had {}.\n\n{}",
        mib(idle_kib),
        table(&cells)
    )
}

fn of_crowd(outcome: &Outcome) -> String {
    let mut cells = vec![words([
        "direction",
        "messages",
        "lost",
        "doubled",
        "out of order",
        "median",
        "p99",
        "slowest",
    ])];
    let mut row = |name: &str, side: &Side| {
        cells.push(vec![
            name.to_owned(),
            side.messages.to_string(),
            side.lost.to_string(),
            side.doubled.to_string(),
            side.disorder.to_string(),
            format!("{} ms", side.p50_ms),
            format!("{} ms", side.p99_ms),
            format!("{} ms", side.most_ms),
        ]);
    };
    row("out: answer to phone", &outcome.out);
    row("in: phone to webhook", &outcome.back);
    format!(
        "{} instances for {} s: {:.2} ms of processor time for each message, {:.2} cores on average; {} idle, {} at most. A sync of the disk took {:.1} ms meanwhile.\n\n{}",
        outcome.instances,
        outcome.seconds,
        outcome.cpu.as_secs_f64() * 1000.0,
        outcome.cores,
        mib(outcome.idle_kib),
        mib(outcome.peak_kib),
        outcome.sync.as_secs_f64() * 1000.0,
        table(&cells)
    )
}

fn of_kinds(costs: &[Cost]) -> String {
    let head = words(["kind", "beside a text", "middle half", "CPU per message"]);
    let mut cells = vec![head];
    for cost in costs {
        cells.push(vec![
            cost.name.clone(),
            format!("{:.2}", cost.ratio),
            format!("{:.2} to {:.2}", cost.low, cost.high),
            format!("{:.2} ms", cost.per_message.as_secs_f64() * 1000.0),
        ]);
    }
    table(&cells)
}

/// When and on what it was measured, without the machine's name.
pub fn heading() -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = about
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unknown processor", |(_, name)| name.trim());
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown");
    let date = tools::output(std::process::Command::new("date").args(["-u", "+%F"]))?;
    let date = date.trim();
    Ok(format!(
        "Measured {date} on {cores} cores ({model}), shared by the gateway, the network and the callers; load average at the start {load}."
    ))
}

/// Replaces what stands between the marks of that name.
fn with_figures(page: &str, name: &str, figures: &str) -> Result<String> {
    let [begin, end] = [
        format!("<!-- figures: {name} -->"),
        format!("<!-- end: {name} -->"),
    ];
    let parts = page
        .split_once(&begin)
        .and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) =
        parts.with_context(|| format!("{PAGE} has lost the marks {begin} and {end}"))?;
    Ok(format!("{before}{begin}\n\n{figures}\n{end}{after}"))
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

/// Markdown whose columns are aligned, so that the terminal shows it as well. The first row is the head.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|at| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            text.push_str(&format!("| {cell:width$} "));
        }
        text.push_str("|\n");
        if at == 0 {
            let line: String = widths
                .iter()
                .map(|w| format!("|{}", "-".repeat(w + 2)))
                .collect();
            text.push_str(&format!("{line}|\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Report {
        let growth = |grown_kib| Growth {
            what: "out, by URL",
            at_once: 1,
            grown_kib,
            goal_kib: 24 * 1024,
            left_kib: 0,
            took: std::time::Duration::from_secs(1),
        };
        Report {
            documents: Some((1024, vec![growth(1024), growth(24 * 1024)])),
            ..Report::default()
        }
    }

    #[test]
    fn a_missed_goal_is_told_and_a_lost_message_is_an_error() {
        let mut report = full();
        let tables = report.tables();
        let verdicts = ["held", "**missed**"].map(|word| tables[0].1.matches(word).count());
        assert_eq!(verdicts, [1, 1]);
        assert!(report.must_be_right().is_ok());
        let lost = Side {
            lost: 1,
            ..Side::default()
        };
        report.crowd = Some(Outcome {
            instances: 1,
            seconds: 1,
            out: Side::default(),
            back: lost,
            cpu: std::time::Duration::ZERO,
            cores: 0.0,
            idle_kib: 0,
            peak_kib: 0,
            sync: std::time::Duration::ZERO,
        });
        assert!(report.must_be_right().is_err());
    }

    #[test]
    fn the_page_has_the_marks_of_every_table() {
        let page = std::fs::read_to_string(tools::root().join(PAGE)).expect(PAGE);
        for name in ["documents", "crowd", "kinds"] {
            let new = with_figures(&page, name, "figures").expect("marks");
            assert!(new.contains(&format!("<!-- figures: {name} -->\n\nfigures\n<!-- end")));
        }
        assert!(with_figures("no marks", "kinds", "").is_err());
    }
}
