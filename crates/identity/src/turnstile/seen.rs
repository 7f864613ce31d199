//! Tokens that were shown lately, so that each counts once.

use std::collections::{HashMap, VecDeque};

use recado_model::Monotonic;

/// About 130 bytes each. When a flood pushes out a token early, siteverify still refuses its second use.
const TOKENS: usize = 20_000;

#[derive(Default)]
pub(super) struct Seen {
    tokens: HashMap<[u8; 32], SeenToken>,
    /// Each of `tokens` once, oldest first.
    order: VecDeque<(Monotonic, [u8; 32])>,
}

struct SeenToken {
    /// Asking again with the same key is the same question: a yes whose answer was lost stays a yes.
    key: String,
    taken: bool,
}

impl Seen {
    /// Takes the token for one question, to be asked with the returned key; `None` when it is taken.
    pub(super) fn take(
        &mut self,
        digest: [u8; 32],
        now: Monotonic,
        keep_ms: i64,
        fresh_key: String,
    ) -> Option<String> {
        self.forget(now);
        if let Some(token) = self.tokens.get_mut(&digest) {
            let free = !std::mem::replace(&mut token.taken, true);
            return free.then(|| token.key.clone());
        }
        let token = SeenToken {
            key: fresh_key.clone(),
            taken: true,
        };
        self.tokens.insert(digest, token);
        self.order.push_back((now.plus_millis(keep_ms), digest));
        Some(fresh_key)
    }

    /// The question could not be put: its caller may come again with the same token.
    pub(super) fn give_back(&mut self, digest: &[u8; 32]) {
        if let Some(token) = self.tokens.get_mut(digest) {
            token.taken = false;
        }
    }

    fn forget(&mut self, now: Monotonic) {
        while let Some((until, digest)) = self.order.front() {
            // Room for one more is kept.
            if *until > now && self.order.len() < TOKENS {
                break;
            }
            self.tokens.remove(digest);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(n: usize) -> [u8; 32] {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&n.to_be_bytes());
        digest
    }

    #[test]
    fn once_until_it_is_given_back_or_forgotten() {
        let mut seen = Seen::default();
        let take = |seen: &mut Seen, at, key: &str| {
            seen.take(digest(1), Monotonic::from_millis(at), 1000, key.to_owned())
        };
        assert_eq!(take(&mut seen, 0, "a").as_deref(), Some("a"));
        assert_eq!(take(&mut seen, 1, "b"), None);
        seen.give_back(&digest(1));
        assert_eq!(
            take(&mut seen, 2, "c").as_deref(),
            Some("a"),
            "one question"
        );
        assert_eq!(take(&mut seen, 999, "d"), None);
        assert_eq!(take(&mut seen, 1000, "e").as_deref(), Some("e"));
    }

    #[test]
    fn it_stays_small() {
        let mut seen = Seen::default();
        for n in 0..TOKENS + 500 {
            assert!(
                seen.take(digest(n), Monotonic::default(), 1000, String::new())
                    .is_some()
            );
        }
        assert_eq!((seen.tokens.len(), seen.order.len()), (TOKENS, TOKENS));
        let newest = digest(TOKENS + 499);
        assert!(
            seen.take(newest, Monotonic::default(), 1000, String::new())
                .is_none()
        );
    }
}
