//! How an instance stands with its phone's past: what was announced, what came, what is missing.

use std::collections::{BTreeMap, BTreeSet};

use recado_store::{FrameState, HistoryRow};

/// How an instance stands with what its phone sends of its past, since its last link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryStanding {
    /// Frames that the phone announced.
    pub announced: i64,
    /// Those that came.
    pub came: i64,
    /// Those of them that are not stored yet.
    pub waiting: i64,
    /// Percent, as the phone says.
    pub progress: Option<i64>,
    /// More may come: something has of late.
    pub open: bool,
    /// Frames that were announced and did not come; once nothing more comes.
    pub missing: i64,
    /// Numbers that are left out in the phone's count; once nothing more comes.
    pub holes: i64,
    /// Frames that could not be read, or not to their end.
    pub damaged: i64,
}

impl HistoryStanding {
    pub(crate) fn of(row: &HistoryRow) -> Self {
        let count = |state| {
            let of_state = row.frames.iter().filter(|one| one.state == state);
            of_state.count() as i64
        };
        let gap = Gap::of(row).filter(|_| row.settled).unwrap_or_default();
        Self {
            announced: row.announced,
            came: came(row),
            waiting: count(FrameState::Waiting),
            progress: progress(row),
            open: row.last_at.is_some() && !row.settled,
            missing: gap.missing,
            holes: gap.holes,
            damaged: count(FrameState::Damaged) + count(FrameState::Gone),
        }
    }

    /// The word of answers.
    pub fn state(&self) -> &'static str {
        match self {
            Self {
                announced: 0,
                came: 0,
                ..
            } => "none",
            Self { open: true, .. } => "running",
            _ if self.has_gap() => "incomplete",
            _ => "complete",
        }
    }

    /// Whether anything of it is lost.
    fn has_gap(&self) -> bool {
        self.missing > 0
            || self.holes > 0
            || self.damaged > 0
            || self.progress.is_some_and(|percent| percent < 100) && !self.open
    }
}

fn came(row: &HistoryRow) -> i64 {
    row.frames.iter().map(|one| one.times).sum()
}

/// As far as the phone's own count went.
fn progress(row: &HistoryRow) -> Option<i64> {
    let counted = row.frames.iter().filter(|one| one.frame.kind.is_counted());
    counted.filter_map(|one| one.frame.progress).max()
}

/// What is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gap {
    pub missing: i64,
    pub holes: i64,
    pub damaged: i64,
    /// Below 100: the last that the phone said of how far it was.
    pub progress: Option<i64>,
}

impl Gap {
    /// `None` of nothing.
    pub fn of(row: &HistoryRow) -> Option<Self> {
        let is_bad = |state| matches!(state, FrameState::Damaged | FrameState::Gone);
        let damaged = row.frames.iter().filter(|one| is_bad(one.state));
        let gap = Self {
            missing: (row.announced - came(row)).max(0),
            holes: holes(row),
            damaged: damaged.count() as i64,
            progress: progress(row).filter(|percent| *percent < 100),
        };
        (gap != Self::default()).then_some(gap)
    }

    /// To tell one from another.
    pub fn words(&self) -> String {
        let Self {
            missing,
            holes,
            damaged,
            progress,
        } = self;
        let progress = progress.unwrap_or(100);
        format!("{missing} missing, {holes} left out, {damaged} damaged, {progress} percent")
    }
}

/// How many numbers are left out between the first and the last of a kind. What the first number is, phones choose.
fn holes(row: &HistoryRow) -> i64 {
    let mut orders: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    for one in &row.frames {
        let frame = &one.frame;
        if let Some(order) = frame.chunk_order.filter(|_| frame.kind.is_counted()) {
            orders.entry(frame.kind.as_str()).or_default().insert(order);
        }
    }
    let left_out = |of_kind: &BTreeSet<i64>| {
        let ends = of_kind.first().zip(of_kind.last());
        ends.map_or(0, |(first, last)| last - first + 1 - of_kind.len() as i64)
    };
    orders.values().map(left_out).sum()
}

#[cfg(test)]
mod tests {
    use recado_model::{
        Timestamp,
        history::{Frame, FrameKind},
    };
    use recado_store::FrameRow;

    use super::*;

    fn frame(kind: FrameKind, order: i64, progress: Option<i64>) -> FrameRow {
        FrameRow {
            frame: Frame {
                name: "a".into(),
                kind,
                chunk_order: Some(order),
                progress,
                request: None,
                digest: format!("{kind:?}{order}"),
            },
            state: FrameState::Stored,
            times: 1,
        }
    }

    fn row(announced: i64, settled: bool, frames: Vec<FrameRow>) -> HistoryRow {
        HistoryRow {
            frames,
            announced,
            last_at: Some(Timestamp(1)),
            settled,
            told: String::new(),
        }
    }

    #[test]
    fn what_is_missing_is_told_once_nothing_more_comes() {
        let all = vec![
            frame(FrameKind::InitialBootstrap, 1, Some(10)),
            frame(FrameKind::Recent, 1, Some(50)),
            frame(FrameKind::Recent, 2, Some(100)),
            frame(FrameKind::PushName, 1, None),
        ];
        let whole = row(4, true, all.clone());
        assert_eq!(Gap::of(&whole), None);
        assert_eq!(HistoryStanding::of(&whole).state(), "complete");
        let mut fewer = all.clone();
        fewer.remove(1);
        fewer.push(frame(FrameKind::Recent, 4, None));
        let holed = row(6, true, fewer.clone());
        let standing = HistoryStanding::of(&holed);
        assert_eq!((standing.missing, standing.holes), (2, 1));
        assert_eq!(standing.state(), "incomplete");
        let running = HistoryStanding::of(&row(6, false, fewer));
        assert_eq!((running.missing, running.holes), (0, 0));
        assert_eq!(running.state(), "running");
        let short = HistoryStanding::of(&row(2, true, all[..2].to_vec()));
        assert_eq!((short.progress, short.state()), (Some(50), "incomplete"));
        assert_eq!(HistoryStanding::default().state(), "none");
    }
}
