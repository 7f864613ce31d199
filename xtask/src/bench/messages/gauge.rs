//! What the gateway's process has used, as the kernel tells it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::process::Stop;

/// Reads what one process uses. Its children are other processes: only their processor time is here, once they ended.
pub struct Gauge {
    folder: PathBuf,
}

impl Gauge {
    pub fn of(pid: u32) -> Self {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        Self { folder }
    }

    fn read(&self, name: &str) -> Result<String> {
        let path = self.folder.join(name);
        std::fs::read_to_string(&path).with_context(|| {
            let path = path.display();
            format!("cannot read {path} (this needs Linux, and the gateway must be alive)")
        })
    }

    fn kib(&self, name: &str) -> Result<u64> {
        let status = self.read("status")?;
        let value = status.lines().find_map(|line| line.strip_prefix(name));
        value
            .and_then(|text| text.trim_start_matches(':').split_whitespace().next())
            .and_then(|number| number.parse().ok())
            .with_context(|| format!("the gateway's /proc entry names no {name}"))
    }

    /// Resident memory in KiB.
    pub fn rss_kib(&self) -> Result<u64> {
        self.kib("VmRSS")
    }

    /// The most that [`Self::rss_kib`] was since [`Self::forget_peak`].
    pub fn peak_kib(&self) -> Result<u64> {
        self.kib("VmHWM")
    }

    pub fn forget_peak(&self) -> Result<()> {
        let path = self.folder.join("clear_refs");
        std::fs::write(&path, "5").with_context(|| format!("cannot write {}", path.display()))
    }

    /// Processor time of the process and of its ended children, in steps of the kernel's clock tick.
    pub fn cpu(&self) -> Result<Duration> {
        let ticks = ticks(&self.read("stat")?).context("the gateway's stat is not as expected")?;
        let second = rustix::param::clock_ticks_per_second();
        Ok(Duration::from_secs_f64(ticks as f64 / second as f64))
    }

    /// Waits until its memory and its processor time stand still for a while, `limit` at most. Gives the memory.
    pub fn settle(&self, limit: Duration, stop: &Stop) -> Result<u64> {
        let begun = Instant::now();
        let (mut last, mut calm) = ((self.rss_kib()?, self.cpu()?), 0);
        while calm < 4 && begun.elapsed() < limit {
            stop.check()?;
            std::thread::sleep(Duration::from_millis(250));
            let now = (self.rss_kib()?, self.cpu()?);
            let still = now.0.abs_diff(last.0) < 64 && now.1 <= last.1 + Duration::from_millis(10);
            calm = if still { calm + 1 } else { 0 };
            last = now;
        }
        Ok(last.0)
    }
}

/// The sum of utime, stime, cutime and cstime.
fn ticks(stat: &str) -> Option<u64> {
    // The name in brackets may hold anything; the third field follows the last bracket.
    let (_, rest) = stat.rsplit_once(')')?;
    let times: Vec<u64> = rest
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse().ok())
        .collect();
    (times.len() == 4).then(|| times.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_times_are_added() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 9 0 0 0 100 20 3 4 20 0 5 0 99 1 2";
        assert_eq!(ticks(stat), Some(127));
        assert_eq!(ticks("7 (a) S 1 7"), None);
    }

    #[test]
    fn the_peak_is_what_was_held_meanwhile() {
        let gauge = Gauge::of(std::process::id());
        gauge.forget_peak().expect("forgotten");
        let before = gauge.rss_kib().expect("a figure");
        let held = std::hint::black_box(vec![1_u8; 64 << 20]);
        drop(held);
        let peak = gauge.peak_kib().expect("a figure");
        assert!(peak >= before + 60 * 1024, "{before} to {peak}");
    }
}
