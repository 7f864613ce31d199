//! The report of a run: a line for each round, a table at the end, and that table in the documentation.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::bed::Database;
use super::faults::Fault;
use super::ledger::Finding;
use super::round::Outcome;
use crate::tools;

const PAGE: &str = "docs/reliability.md";
const BEGIN: &str = "<!-- made by `cargo xtask chaos --write`: begin -->\n";
const END: &str = "<!-- end -->\n";

/// The rounds of one fault on one database.
#[derive(Default)]
struct FaultLine {
    rounds: u32,
    void: u32,
    late: u32,
    accepted: usize,
    written: usize,
    unacknowledged: usize,
    repeated: usize,
    lost: usize,
    doubled: usize,
    disorder: usize,
    other: usize,
    without_receipt: usize,
}

impl FaultLine {
    fn bad(&self) -> usize {
        self.lost + self.doubled + self.disorder + self.other
    }
}

#[derive(Default)]
pub struct Report {
    rows: BTreeMap<(Fault, &'static str), FaultLine>,
}

impl Report {
    /// Says and books a round.
    pub fn round(&mut self, fault: Fault, database: Database, outcome: &Outcome) {
        let row = self.rows.entry((fault, database.name())).or_default();
        match &outcome.void {
            Some(_) => row.void += 1,
            None => {
                row.rounds += 1;
                row.late += u32::from(outcome.late);
                row.accepted += outcome.accepted;
                row.written += outcome.written;
                row.unacknowledged += outcome.unacknowledged;
                row.repeated += outcome.repeated;
                row.without_receipt += outcome.without_receipt;
            }
        }
        for finding in &outcome.findings {
            match finding {
                Finding::Lost(..) => row.lost += 1,
                Finding::Doubled(..) => row.doubled += 1,
                Finding::Disorder(_) => row.disorder += 1,
            }
        }
        row.other += outcome.complaints.len();
        let verdict = match (&outcome.void, row.bad()) {
            (Some(why), _) => format!("void: {why}"),
            _ if !outcome.findings.is_empty() || !outcome.complaints.is_empty() => {
                "FAILED".to_owned()
            }
            _ if outcome.late => "agrees, late".to_owned(),
            _ => "agrees".to_owned(),
        };
        println!(
            "{:<9} {:<10} {:>3} accepted, {:>3} unacknowledged at the fault, {:>3} repeated, {:>2} written in, {:>4.1} s: {verdict}",
            fault.name(),
            database.name(),
            outcome.accepted,
            outcome.unacknowledged,
            outcome.repeated,
            outcome.written,
            outcome.took.as_secs_f64(),
        );
        if outcome.without_receipt > 0 {
            println!(
                "    {} read `sent` though a phone shows them",
                outcome.without_receipt
            );
        }
        for finding in &outcome.findings {
            println!("    {finding}");
        }
        for complaint in &outcome.complaints {
            println!("    {complaint}");
        }
    }

    /// Rounds that count of this fault.
    pub fn counted(&self, fault: Fault, database: Database) -> (u32, u32) {
        let row = self.rows.get(&(fault, database.name()));
        row.map_or((0, 0), |row| (row.rounds, row.void))
    }

    /// How much went wrong.
    pub fn bad(&self) -> usize {
        self.rows.values().map(FaultLine::bad).sum()
    }

    /// As Markdown.
    pub fn table(&self) -> String {
        let mut table = String::from(
            "| fault | database | rounds | void | late | accepted | unacknowledged at the fault | sent again | came in | lost | doubled | out of order |\n\
             |---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        );
        for ((fault, database), row) in &self.rows {
            table.push_str(&format!(
                "| {} | {database} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
                fault.name(),
                row.rounds,
                row.void,
                row.late,
                row.accepted,
                row.unacknowledged,
                row.repeated,
                row.written,
                row.lost,
                row.doubled,
                row.disorder
            ));
        }
        table
    }

    /// How many messages arrived and never got beyond `sent`.
    pub fn without_receipt(&self) -> usize {
        self.rows.values().map(|row| row.without_receipt).sum()
    }

    /// Puts the table into the documentation.
    pub fn write(&self) -> Result<()> {
        let path = tools::root().join(PAGE);
        let page = std::fs::read_to_string(&path).with_context(|| format!("cannot read {PAGE}"))?;
        let page = with_table(&page, &self.table())?;
        std::fs::write(&path, page).with_context(|| format!("cannot write {PAGE}"))
    }
}

fn with_table(page: &str, table: &str) -> Result<String> {
    let (before, rest) = page
        .split_once(BEGIN)
        .with_context(|| format!("{PAGE} has lost the mark {}", BEGIN.trim()))?;
    let (_, after) = rest
        .split_once(END)
        .with_context(|| format!("{PAGE} has lost the mark {}", END.trim()))?;
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let page = format!("above\n{BEGIN}old\n{END}below\n");
        let page = with_table(&page, "new\n").expect("marks");
        assert_eq!(page, format!("above\n{BEGIN}new\n{END}below\n"));
        assert!(with_table("no marks", "new\n").is_err());
    }

    #[test]
    fn the_page_has_its_marks() {
        let page = std::fs::read_to_string(tools::root().join(PAGE)).expect(PAGE);
        with_table(&page, "").expect("marks");
    }
}
