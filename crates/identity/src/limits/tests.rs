use std::net::Ipv6Addr;

use proptest::prelude::*;
use recado_model::{ManualClock, Timestamp};

use super::*;

const START: Timestamp = Timestamp(1_767_225_600_000);
const QUOTAS: Quotas = Quotas {
    per_network: 3,
    per_client: 2,
    per_login: 2,
};

/// How long the buckets of a client token stay closed.
fn closed(limits: &Limits, from: Option<IpAddr>, id: Option<&str>) -> Option<u64> {
    let now = limits.clock.monotonic();
    let network = limits.networks.get(&network(from));
    let id = id.and_then(|id| limits.ids.get(&key("client", &[id])));
    closed_for(network, now, limits.network_rule).max(closed_for(id, now, limits.id_rule))
}

fn bed() -> (Arc<ManualClock>, Limits) {
    let clock = Arc::new(ManualClock::at(START));
    let limits = Limits::new(clock.clone(), QUOTAS);
    (clock, limits)
}

fn here() -> Option<IpAddr> {
    Some(IpAddr::from([203, 0, 113, 7]))
}

fn there() -> Option<IpAddr> {
    Some(IpAddr::from([198, 51, 100, 9]))
}

#[test]
fn the_allowance_is_counted_down_and_then_the_waits_double_to_the_cap() {
    let (clock, limits) = bed();
    for remaining in [2, 1] {
        let verdict = limits.failed(here(), None);
        assert_eq!(
            (verdict.wait_secs, verdict.allowances[0].remaining),
            (None, remaining)
        );
        assert_eq!(verdict.allowances[0].reset_secs, 60);
    }
    let mut waits = Vec::new();
    for _ in 0..9 {
        let closing = limits.failed(here(), None);
        assert_eq!(
            closing.wait_secs, None,
            "the one that closes it is still told the truth"
        );
        assert_eq!(closing.allowances[0].remaining, 0);
        let wait = closing.allowances[0].reset_secs;
        waits.push(wait);
        for _ in 0..50 {
            let held = limits.failed(here(), None);
            assert_eq!(held.wait_secs, Some(wait), "it does not grow while closed");
        }
        clock.advance_ms(wait as i64 * 1000 - 1);
        assert_eq!(limits.failed(here(), None).wait_secs, Some(1));
        clock.advance_ms(1);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert_eq!(limits.failed(there(), None).allowances[0].remaining, 2);
    clock.advance_ms(FORGET_MS);
    assert_eq!(
        limits.failed(here(), None).allowances[0].remaining,
        2,
        "a quiet quarter of an hour"
    );
}

#[test]
fn a_minute_gives_the_allowance_back_when_it_was_kept() {
    let (clock, limits) = bed();
    for _ in 0..20 {
        assert_eq!(limits.failed(here(), None).wait_secs, None);
        assert_eq!(limits.failed(here(), None).wait_secs, None);
        clock.advance_ms(WINDOW_MS);
    }
}

#[test]
fn an_id_is_counted_over_all_networks_but_not_from_a_closed_one() {
    let (_, limits) = bed();
    let id = Some("ct_somebody");
    limits.failed(here(), id);
    limits.failed(there(), id);
    let held = limits.failed(Some(IpAddr::from([192, 0, 2, 1])), id);
    assert_eq!(held.wait_secs, Some(1));
    assert_eq!(held.allowances.len(), 2);
    assert_eq!(limits.failed(there(), Some("ct_other")).wait_secs, None);

    for _ in 0..3 {
        limits.failed(here(), None);
    }
    for _ in 0..9 {
        let verdict = limits.failed(here(), Some("ct_third"));
        assert_eq!(
            verdict.allowances[1].remaining, 2,
            "not driven up from a closed network"
        );
        assert!(verdict.wait_secs.is_some());
    }
}

#[test]
fn a_log_in_is_refused_before_it_is_tried_only_where_it_failed_too_often() {
    let (clock, limits) = bed();
    let ana = "ana@example.com";
    limits.login_failed(here(), ana);
    assert_eq!(limits.begin_login(here(), ana).ok(), Some(None));
    limits.login_failed(here(), ana);
    let refused = limits
        .begin_login(here(), ana)
        .expect_err("closed from here");
    assert_eq!(
        (refused.code, refused.retry_after_secs),
        (ErrorCode::RateLimited, Some(1))
    );
    assert_eq!(limits.begin_login(there(), ana).ok(), Some(None));
    assert_eq!(
        limits.begin_login(here(), "other@example.com").ok(),
        Some(None)
    );
    clock.advance_ms(1000);
    assert_eq!(limits.begin_login(here(), ana).ok(), Some(None));
}

#[test]
fn a_hundred_failures_in_a_row_close_an_e_mail_to_strangers_until_one_holds() {
    let (clock, limits) = bed();
    let ana = "ana@example.com";
    for n in 0..IN_A_ROW {
        let from = Some(IpAddr::from(Ipv6Addr::from(u128::from(n) << 64)));
        assert_eq!(limits.begin_login(from, ana).ok(), Some(None), "{n}");
        limits.login_failed(from, ana);
        // However slowly they come.
        clock.advance_ms(10 * 60_000);
    }
    let mut longest = 0;
    for _ in 0..20 {
        limits.login_failed(there(), ana);
        let wait = limits.begin_login(here(), ana).expect("strangers only");
        longest = wait.expect("closed");
        clock.advance_ms(longest as i64 * 1000);
    }
    assert_eq!(longest, 3600, "and never for longer than an hour");
    limits.login_failed(there(), ana);
    limits.login_held(here(), ana);
    assert_eq!(limits.begin_login(here(), ana).ok(), Some(None));
}

#[test]
fn neighbours_of_a_64_share_a_bucket_and_others_do_not() {
    let (_, limits) = bed();
    let ip = |a: u16, b: u16| Some(IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, a, 0, 0, 0, b)));
    assert_eq!(limits.failed(ip(1, 1), None).allowances[0].remaining, 2);
    assert_eq!(limits.failed(ip(1, 2), None).allowances[0].remaining, 1);
    assert_eq!(limits.failed(ip(2, 1), None).allowances[0].remaining, 2);
}

#[test]
fn a_million_networks_do_not_grow_it() {
    let (_, limits) = bed();
    for n in 0..1_000_000u32 {
        limits.failed(Some(IpAddr::from(n.to_be_bytes())), None);
    }
    for n in 0..100_000u32 {
        limits.failed(Some(IpAddr::from(n.to_be_bytes())), Some(&n.to_string()));
    }
    assert!(
        limits.networks.len() <= BUCKETS,
        "{}",
        limits.networks.len()
    );
    assert!(limits.ids.len() <= BUCKETS, "{}", limits.ids.len());
}

#[test]
fn a_wall_clock_that_is_set_changes_no_wait() {
    const WEEK_MS: i64 = 7 * 86_400_000;
    for step in [-WEEK_MS, WEEK_MS] {
        let (clock, limits) = bed();
        for _ in 0..3 {
            limits.failed(here(), None);
            clock.advance_ms(100);
        }
        let wait = closed(&limits, here(), None).expect("closed");
        clock.step_wall_ms(step);
        assert_eq!(closed(&limits, here(), None), Some(wait), "step {step}");
        clock.advance_ms(wait as i64 * 1000);
        assert_eq!(closed(&limits, here(), None), None, "step {step}");
    }
}

/// One step of a caller's life: how long nothing happens, and whether the clock is set back instead.
fn step() -> impl Strategy<Value = (i64, bool)> {
    let pause = prop_oneof![Just(0i64), 0..3_000i64, 0..70_000i64, 0..1_200_000i64];
    (pause, prop::bool::weighted(0.05))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happened: after the announced wait the bucket is open, and not a moment before the
    /// real one is over (so the announced wait is never the shorter).
    #[test]
    fn every_bucket_opens_when_it_said(steps in prop::collection::vec(step(), 1..80), by_id: bool) {
        let (clock, limits) = bed();
        let id = by_id.then_some("ct_somebody");
        for (pause, back) in steps {
            clock.advance_ms(if back { -pause } else { pause });
            let verdict = limits.failed(here(), id);
            let longest = if by_id { 300 } else { 60 };
            if let Some(wait) = verdict.wait_secs {
                prop_assert!((1..=longest).contains(&wait), "{wait}");
                for allowance in &verdict.allowances {
                    prop_assert!(allowance.remaining > 0 || allowance.reset_secs <= wait);
                }
                prop_assert_eq!(closed(&limits, here(), id), Some(wait));
                let later = clock.now().plus_secs(wait as i64);
                clock.set(later);
                prop_assert_eq!(closed(&limits, here(), id), None);
                prop_assert_eq!(limits.failed(here(), id).wait_secs, None);
            }
        }
    }
}
