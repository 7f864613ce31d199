//! Who is there, and who is told of it.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::ambient;
use crate::core::{Core, jid, text};
use crate::profile::Profile;
use crate::state::Addr;

impl Core {
    /// Whether somebody looks at a program of this account: at the app, or at one that says so.
    pub(crate) fn is_there(&self, number: &str) -> bool {
        let app = self.phones.get(number);
        let app = app.is_some_and(|phone| phone.online && !phone.profile.away);
        let companions = self.companions_of(number);
        app || companions
            .iter()
            .any(|addr| self.links.get(addr).is_some_and(|link| link.available))
    }

    /// `<presence>` of a companion: about itself, or a wish to hear of somebody.
    pub(crate) fn companion_presence(&mut self, addr: &Addr, node: &Node) {
        match text(node, "type").as_str() {
            "subscribe" => self.watch(addr, node),
            "unsubscribe" => {
                let target = jid(node, "to").and_then(|to| self.resolve(&to));
                if let (Some(target), Some(link)) = (target, self.links.get_mut(addr)) {
                    link.watches.remove(&target.number);
                }
            }
            "available" => self.companion_is(addr, true),
            "unavailable" => self.companion_is(addr, false),
            // A new name for the account.
            "" => {
                let name = text(node, "name");
                if let Some(phone) = self.phones.get_mut(&addr.number)
                    && !name.is_empty()
                {
                    phone.name = name;
                    self.touch_phone(&addr.number);
                }
            }
            other => tracing::debug!(device = %addr, kind = other, "ignored a presence"),
        }
    }

    fn companion_is(&mut self, addr: &Addr, available: bool) {
        self.while_there(&addr.number, |core| {
            if let Some(link) = core.links.get_mut(addr) {
                link.available = available;
            }
        });
    }

    /// Does something that may change whether somebody is there, and tells those who watch.
    pub(crate) fn while_there(&mut self, number: &str, step: impl FnOnce(&mut Self)) {
        let before = self.is_there(number);
        step(self);
        let now = self.is_there(number);
        if before == now {
            return;
        }
        if !now {
            let seen = ambient::now_secs();
            self.change_profile(number, |profile| profile.last_seen = Some(seen));
        }
        let watchers: Vec<(Addr, Jid)> = self
            .links
            .iter()
            .filter_map(|(addr, link)| Some((addr.clone(), link.watches.get(number)?.clone())))
            .collect();
        for (watcher, named) in watchers {
            self.tell_presence(&watcher, number, &named);
        }
    }

    fn watch(&mut self, addr: &Addr, node: &Node) {
        let Some(named) = jid(node, "to") else {
            return;
        };
        let Some(target) = self.resolve(&named) else {
            return;
        };
        if !self.phones.contains_key(&target.number) {
            return;
        }
        if let Some(link) = self.links.get_mut(addr) {
            let named = named.to_non_ad();
            link.watches.insert(target.number.clone(), named.clone());
            self.tell_presence(addr, &target.number, &named);
        }
    }

    /// Under the name by which it was asked for. Nobody hears of others who hides himself.
    fn tell_presence(&self, to: &Addr, number: &str, named: &Jid) {
        let watcher = self.links.get(to);
        if !watcher.is_some_and(|link| link.available) || self.has_blocked(number, &to.number) {
            return;
        }
        let mut stanza = NodeBuilder::new("presence").attr("from", named.clone());
        if !self.is_there(number) {
            stanza = stanza.attr("type", "unavailable");
            let seen = self.phones.get(number);
            let seen = seen.and_then(|phone| phone.profile.last_seen);
            stanza = match seen.filter(|_| self.shows(number, &to.number)) {
                Some(seen) => stanza.attr("last", seen.to_string()),
                None => stanza.attr("last", "deny"),
            };
        }
        self.deliver_now(to, stanza.build());
    }
}

impl Core {
    /// Whether `number` shows itself to `other`.
    pub(crate) fn shows(&self, number: &str, other: &str) -> bool {
        number == other
            || self.phones.get(number).is_some_and(|phone| {
                !phone.profile.hidden && !phone.profile.blocked.contains(other)
            })
    }

    /// Whether `number` has blocked `other`.
    pub(crate) fn has_blocked(&self, number: &str, other: &str) -> bool {
        let phone = self.phones.get(number);
        phone.is_some_and(|phone| phone.profile.blocked.contains(other))
    }

    /// Changes the profile of a phone.
    pub(crate) fn change_profile<R>(
        &mut self,
        number: &str,
        change: impl FnOnce(&mut Profile) -> R,
    ) -> Option<R> {
        let changed = self
            .phones
            .get_mut(number)
            .map(|phone| change(&mut phone.profile));
        self.touch_phone(number);
        changed
    }
}
