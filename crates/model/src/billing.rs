//! The billing of an instance: a state machine over four times. The status is read off them and the
//! clock, so nothing has to flip it when a period runs out.
//!
//! Every transition takes the row as it is and gives the row as it should be; who may ask for which,
//! and who takes the money, is decided elsewhere.

use crate::{
    clock::Timestamp,
    error::{Error, ErrorCode, Result},
};

/// The times of one instance's subscription, as they are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Billing {
    /// Made by the first `subscribe`.
    pub subscription_id: Option<String>,
    pub trial_until: Option<Timestamp>,
    /// End of the period that is paid.
    pub paid_until: Option<Timestamp>,
    /// When it ends by its owner's wish; at once or at the end of a period.
    pub cancel_at: Option<Timestamp>,
}

/// The meaning of the times at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BillingStatus {
    /// The first days, which nobody pays for.
    Trialing,
    /// A period is paid; also while its end is scheduled.
    Active,
    /// Ended because its owner canceled it.
    Canceled,
    /// Trial or paid period ran out, or never was.
    Unpaid,
}

impl BillingStatus {
    pub const ALL: [Self; 4] = [Self::Trialing, Self::Active, Self::Canceled, Self::Unpaid];

    /// The contract's `billing_status`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trialing => "TRIALING",
            Self::Active => "ACTIVE",
            Self::Canceled => "CANCELED",
            Self::Unpaid => "UNPAID",
        }
    }

    /// Whether the instance may be used.
    pub fn works(self) -> bool {
        matches!(self, Self::Trialing | Self::Active)
    }
}

impl Billing {
    /// The end of a trial that does not end: 9999-12-31, later than anything a person means by a date,
    /// and still one that can be written.
    pub const FOR_EVER: Timestamp = Timestamp(253_402_214_400_000);

    /// Of a new instance: free until `until`.
    pub fn trial(until: Timestamp) -> Self {
        Self {
            trial_until: Some(until),
            ..Self::default()
        }
    }

    /// The end of what is paid or free, whether it lies ahead or behind; `None` when nothing ever was.
    pub fn ends_at(&self) -> Option<Timestamp> {
        let covered = self.trial_until.max(self.paid_until)?;
        Some(self.cancel_at.map_or(covered, |at| at.min(covered)))
    }

    /// Whether it may be used at `now`; the very end is not in the period.
    pub fn is_paid(&self, now: Timestamp) -> bool {
        self.ends_at().is_some_and(|end| now < end)
    }

    pub fn status(&self, now: Timestamp) -> BillingStatus {
        if self.is_paid(now) {
            match self.paid_until {
                Some(until) if now < until => BillingStatus::Active,
                _ => BillingStatus::Trialing,
            }
        } else if self.cancel_at.is_some_and(|at| at <= now) {
            BillingStatus::Canceled
        } else {
            BillingStatus::Unpaid
        }
    }

    /// Its owner wants it to go on. Keeps the subscription it has, else takes `id`; takes back a
    /// cancel. Pays for nothing.
    pub fn subscribe(&self, id: &str) -> Self {
        Self {
            subscription_id: self.subscription_id.clone().or_else(|| Some(id.to_owned())),
            cancel_at: None,
            ..self.clone()
        }
    }

    /// Paid until `until`. Takes back a cancel: nobody pays for what is to end before. Refuses an
    /// `until` in the past, or before the end that it has already.
    pub fn grant(&self, until: Timestamp, now: Timestamp) -> Result<Self> {
        if until <= now {
            return Err(Error::field(
                "until",
                "a period can only be granted into the future",
            ));
        }
        if let Some(end) = self.ends_at().filter(|end| *end > until) {
            return Err(Error::new(
                ErrorCode::Conflict,
                format!(
                    "It runs until {} already, and a grant only extends it. End it first to shorten it.",
                    end.to_rfc3339()
                ),
            ));
        }
        Ok(Self {
            paid_until: Some(until),
            cancel_at: None,
            ..self.clone()
        })
    }

    /// Its owner wants it to end: with the period or trial that runs, at once when none does. One that
    /// is canceled stays as it is.
    pub fn cancel(&self, now: Timestamp) -> Self {
        if self.cancel_at.is_some() {
            return self.clone();
        }
        Self {
            cancel_at: Some(self.ends_at().map_or(now, |end| end.max(now))),
            ..self.clone()
        }
    }

    /// Takes back a cancel that has not come yet; one that runs anyway stays as it is. Refuses what
    /// has ended.
    pub fn resume(&self, now: Timestamp) -> Result<Self> {
        if !self.is_paid(now) {
            return Err(Error::new(
                ErrorCode::Conflict,
                "There is nothing to resume: the subscription has ended. POST /instances/{id}/subscribe starts it anew.",
            ));
        }
        Ok(Self {
            cancel_at: None,
            ..self.clone()
        })
    }

    /// Ends what is paid or free, now. Refuses what has ended already.
    pub fn end(&self, now: Timestamp) -> Result<Self> {
        if !self.is_paid(now) {
            return Err(Error::new(
                ErrorCode::Conflict,
                "There is nothing to end: the instance is not paid for.",
            ));
        }
        let cut = |at: Option<Timestamp>| at.map(|at| at.min(now));
        Ok(Self {
            subscription_id: self.subscription_id.clone(),
            trial_until: cut(self.trial_until),
            paid_until: cut(self.paid_until),
            cancel_at: cut(self.cancel_at),
        })
    }

    /// Its owner has subscribed and waits for somebody to grant a period.
    pub fn awaits_payment(&self, now: Timestamp) -> bool {
        let paid = self.paid_until.is_some_and(|until| now < until);
        self.subscription_id.is_some() && self.cancel_at.is_none() && !paid
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = 24 * 3600 * 1000;
    const NOW: Timestamp = Timestamp(1_767_225_600_000);

    fn day(n: i64) -> Timestamp {
        NOW.plus_millis(n * DAY)
    }

    #[test]
    fn a_whole_life() {
        let new = Billing::trial(day(7));
        assert_eq!(new.status(day(6)), BillingStatus::Trialing);
        assert_eq!(new.status(day(7)), BillingStatus::Unpaid);
        let wanted = new.subscribe("SB1");
        assert!(wanted.awaits_payment(day(1)));
        assert_eq!(
            wanted.subscribe("SB2"),
            wanted,
            "the same subscription each time"
        );
        let paid = wanted.grant(day(37), day(8)).expect("granted");
        assert_eq!(paid.status(day(8)), BillingStatus::Active);
        assert!(!paid.awaits_payment(day(8)));
        let canceled = paid.cancel(day(9));
        assert_eq!(canceled.cancel_at, Some(day(37)), "with the period");
        assert_eq!(canceled.status(day(9)), BillingStatus::Active);
        assert_eq!(canceled.resume(day(9)).expect("in time"), paid);
        assert_eq!(canceled.status(day(37)), BillingStatus::Canceled);
        canceled.resume(day(37)).expect_err("too late");
        let again = canceled.subscribe("SB3");
        assert_eq!(again.status(day(38)), BillingStatus::Unpaid);
        assert_eq!(again.subscription_id.as_deref(), Some("SB1"));
        let paid = again.grant(day(60), day(38)).expect("granted");
        let ended = paid.end(day(40)).expect("ended");
        assert_eq!(ended.status(day(40)), BillingStatus::Unpaid);
        ended.end(day(40)).expect_err("nothing is left");
    }

    #[test]
    fn canceled_at_once_when_nothing_is_paid() {
        let canceled = Billing::default().cancel(NOW);
        assert_eq!(canceled.cancel_at, Some(NOW));
        assert_eq!(canceled.status(NOW), BillingStatus::Canceled);
        assert_eq!(canceled.cancel(day(3)), canceled);
        let paid = canceled
            .grant(day(1), NOW)
            .expect("somebody paid after all");
        assert_eq!(paid.status(NOW), BillingStatus::Active);
    }

    #[test]
    fn a_grant_only_extends() {
        let paid = Billing::trial(day(7)).grant(day(30), NOW).expect("granted");
        paid.grant(day(29), NOW).expect_err("shorter");
        paid.grant(NOW, NOW).expect_err("over before it began");
        assert_eq!(
            paid.grant(day(30), NOW).expect("as it is").ends_at(),
            Some(day(30))
        );
        assert!(Billing::trial(Billing::FOR_EVER).is_paid(day(365 * 100)));
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Wait(i64),
        Subscribe,
        Grant(i64),
        Cancel,
        Resume,
        End,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..20i64).prop_map(Step::Wait),
            Just(Step::Subscribe),
            (-3..40i64).prop_map(Step::Grant),
            Just(Step::Cancel),
            Just(Step::Resume),
            Just(Step::End),
        ]
    }

    proptest! {
        /// Beside the machine runs a single number: until when somebody granted it. Whatever else is
        /// asked for, in whatever order, it works exactly as long as that.
        #[test]
        fn works_as_long_as_was_granted(
            trial in proptest::option::of(0..10i64),
            steps in proptest::collection::vec(step(), 0..60),
        ) {
            let mut billing = trial.map_or_else(Billing::default, |days| Billing::trial(day(days)));
            let mut granted = trial.map_or(Timestamp(i64::MIN), day);
            let mut now = NOW;
            for step in steps {
                let before = billing.clone();
                match step {
                    Step::Wait(days) => now = now.plus_millis(days * DAY),
                    Step::Subscribe => {
                        billing = billing.subscribe("SB1");
                        prop_assert_eq!(billing.cancel_at, None);
                        prop_assert!(billing.subscription_id.is_some());
                    }
                    Step::Grant(days) => {
                        let until = now.plus_millis(days * DAY);
                        let fits = until > now && (granted <= until);
                        let done = billing.grant(until, now);
                        prop_assert_eq!(done.is_ok(), fits, "{:?}", done);
                        if let Ok(done) = done {
                            billing = done;
                            granted = until;
                            prop_assert_eq!(billing.status(now), BillingStatus::Active);
                        }
                    }
                    Step::Cancel => {
                        billing = billing.cancel(now);
                        prop_assert!(billing.cancel_at.is_some());
                        prop_assert_eq!(billing.cancel(now), billing.clone());
                        if before.cancel_at.is_none() && before.is_paid(now) {
                            prop_assert_eq!(billing.resume(now).expect("in time"), before.clone());
                        } else {
                            prop_assert_eq!(billing.resume(now).is_ok(), before.is_paid(now));
                        }
                    }
                    Step::Resume => match billing.resume(now) {
                        Ok(done) => billing = done,
                        Err(_) => prop_assert!(!before.is_paid(now)),
                    },
                    Step::End => match billing.end(now) {
                        Ok(done) => {
                            billing = done;
                            granted = granted.min(now);
                        }
                        Err(_) => prop_assert!(!before.is_paid(now)),
                    },
                }
                prop_assert_eq!(billing.is_paid(now), now < granted, "{:?} after {:?}", billing, step);
                let status = billing.status(now);
                prop_assert_eq!(status.works(), billing.is_paid(now));
                if status == BillingStatus::Canceled {
                    prop_assert!(billing.cancel_at.is_some_and(|at| at <= now));
                }
                // No subscription is forgotten or exchanged.
                prop_assert!(before.subscription_id.is_none() || before.subscription_id == billing.subscription_id);
            }
        }
    }
}
