//! What must come out, by the design's rules 1 to 5 alone: a second, small hand beside the program's.

use recado_api::{RouteRow, Surface, auth::Rule};
use recado_model::Role;

/// The name of the dashboard's cookie.
pub(crate) const COOKIE: &str = "__Host-recado";

/// The card with a Basic that is no client's.
pub(super) const PROXYS: &str = "basic";

/// What one header's value is worth in its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// Not a credential of this slot, or not live.
    Bad,
    /// Holds, for the first or the second shop.
    Shop(char),
    /// Holds, for one instance: shop and which of its instances.
    Instance(char, char),
    /// Holds for the shop, but its owner chose one instance that it may be used for.
    Only(char, char),
    /// Holds for the shop, as far as the role of that person goes.
    Person(char, Role),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Slot {
    Bearer,
    Client,
    Instance,
    Key,
}

impl Slot {
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Bearer => "authorization",
            Self::Client => "x-client-token",
            Self::Instance => "x-instance-token",
            Self::Key => "x-api-key",
        }
    }
}

/// A value for a slot, with its worth as the instance API, MCP or the Direct API sees it.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub(super) name: String,
    pub(super) slot: Slot,
    pub(super) text: String,
    /// A bearer is worth something at one surface only.
    pub(super) at: Option<Surface>,
    pub(super) worth: Worth,
}

impl Card {
    pub(super) fn worth(&self, surface: Surface) -> Worth {
        match self.at {
            Some(at) if at == surface || self.slot != Slot::Bearer => self.worth,
            Some(_) | None => Worth::Bad,
        }
    }
}

/// What is sent: cards in order (a slot twice is a duplicate).
#[derive(Clone, Debug)]
pub(super) struct Hand {
    pub(super) name: String,
    pub(super) cards: Vec<Card>,
    pub(super) extra: Vec<(&'static str, String)>,
}

impl Hand {
    pub(super) fn of(cards: &[&Card]) -> Self {
        let names: Vec<_> = cards.iter().map(|card| card.name.as_str()).collect();
        Self {
            name: if names.is_empty() {
                "nothing".to_owned()
            } else {
                names.join(" + ")
            },
            cards: cards.iter().map(|card| (*card).clone()).collect(),
            extra: Vec::new(),
        }
    }

    pub(super) fn has(&self, slot: Slot) -> bool {
        self.cards.iter().any(|card| card.slot == slot)
    }

    pub(super) fn repeated(&self) -> bool {
        let mut slots: Vec<_> = self.cards.iter().map(|card| card.slot).collect();
        slots.sort();
        slots.windows(2).any(|two| two[0] == two[1])
    }

    /// Whether its owner restricted one of the cards to an instance.
    pub(super) fn restricted(&self) -> bool {
        let only = |card: &Card| matches!(card.worth, Worth::Only(..));
        self.cards.iter().any(only)
    }

    /// With the dashboard's cookie beside it, whatever that is worth.
    pub(super) fn with_cookie(mut self, name: &str, value: &str) -> Self {
        self.name = format!("{}, cookie {name}", self.name);
        self.extra.push(("cookie", value.to_owned()));
        self
    }

    pub(super) fn has_our_cookie(&self) -> bool {
        let ours = |(name, value): &(&str, String)| *name == "cookie" && value.contains(COOKIE);
        self.extra.iter().any(ours)
    }

    /// Without what belongs to a proxy in front: it counts for nothing (rule 4), but twice is twice.
    fn without_a_proxys(&self) -> Self {
        let mut hand = self.clone();
        if !self.repeated() {
            hand.cards.retain(|card| card.name != PROXYS);
        }
        hand
    }

    pub(super) fn worth(&self, slot: Slot, surface: Surface) -> Option<Worth> {
        let card = self.cards.iter().find(|card| card.slot == slot)?;
        Some(card.worth(surface))
    }
}

/// Must come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Pass,
    /// 400 `conflicting_credentials` in the words of the surface.
    Conflict,
    Unauthorized,
    Forbidden,
    /// 403 `role_too_low`: a person who may not.
    RoleTooLow,
    /// The Direct API's 401 for a session that is not the caller's.
    NotYours,
}

pub(super) fn shop_of(worth: Worth) -> Option<char> {
    match worth {
        Worth::Bad => None,
        Worth::Shop(shop)
        | Worth::Instance(shop, _)
        | Worth::Only(shop, _)
        | Worth::Person(shop, _) => Some(shop),
    }
}

/// Whose session the path of a row names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    FirstShop,
    Guest,
}

/// The rules 1 to 5, for a row whose ids name the first shop's first instance, and a session of `whose`.
pub(super) fn due(row: &RouteRow, hand: &Hand, whose: Whose) -> Due {
    let rule = row.rule;
    let hand = &hand.without_a_proxys();
    match rule {
        Rule::Public => Due::Pass,
        Rule::Owner | Rule::AccountOwner | Rule::OwnerInstance | Rule::Instance => {
            due_instance(rule, row.least.unwrap_or(Role::Viewer), hand)
        }
        Rule::Mcp | Rule::McpOpenInitialize => due_mcp(hand),
        Rule::OptionalMcp | Rule::DirectKey | Rule::DirectName => due_direct(rule, hand),
        Rule::DirectClaim => due_claim(hand, whose),
        // Its credentials are in the body; see `token`.
        Rule::ClientCredentials => Due::Pass,
        Rule::Visitor
        | Rule::LogIn
        | Rule::LogOut
        | Rule::Whoever
        | Rule::SignedIn
        | Rule::Member
        | Rule::MemberInstance => due_dashboard(rule, hand),
    }
}

/// No credential of another surface helps here, or is let pass; what cookies do is `people_access`.
fn due_dashboard(rule: Rule, hand: &Hand) -> Due {
    if !hand.cards.is_empty() {
        return Due::Conflict;
    }
    match rule {
        Rule::Visitor | Rule::LogIn | Rule::LogOut => Due::Pass,
        _ => Due::Unauthorized,
    }
}

pub(super) fn due_instance(rule: Rule, least: Role, hand: &Hand) -> Due {
    let at = Surface::Instance;
    if hand.repeated() || hand.has(Slot::Key) {
        return Due::Conflict;
    }
    let [bearer, client, instance] =
        [Slot::Bearer, Slot::Client, Slot::Instance].map(|slot| hand.worth(slot, at));
    let shown: Vec<Worth> = [bearer, client, instance].into_iter().flatten().collect();
    let by_pair = rule == Rule::Instance && client.is_some() && instance.is_some();
    if shown.contains(&Worth::Bad) || (bearer.is_none() && !by_pair) {
        return Due::Unauthorized;
    }
    let one_shop = shown
        .iter()
        .all(|worth| shop_of(*worth) == shop_of(shown[0]));
    let opens = |worth: &Worth| {
        let (Worth::Instance(_, one) | Worth::Only(_, one)) = worth else {
            return true;
        };
        *one == '1'
    };
    let here = shop_of(shown[0]) == Some('a') && shown.iter().all(opens);
    // Who shows a person's JWT acts as that person, whatever lies beside it.
    let too_low = matches!(bearer, Some(Worth::Person(_, role)) if role < least);
    match rule {
        _ if !one_shop => Due::Forbidden,
        Rule::Owner | Rule::AccountOwner if too_low => Due::RoleTooLow,
        // No instance is named: what is presented must only agree.
        Rule::Owner => Due::Pass,
        // A part of the account does not manage all of it.
        Rule::AccountOwner if !matches!(bearer, Some(Worth::Only(..))) => Due::Pass,
        Rule::AccountOwner => Due::Forbidden,
        // What is not theirs looks the same to every role.
        _ if !here => Due::Forbidden,
        _ if too_low => Due::RoleTooLow,
        _ => Due::Pass,
    }
}

pub(super) fn due_mcp(hand: &Hand) -> Due {
    let foreign = [Slot::Client, Slot::Instance, Slot::Key];
    if hand.repeated() || foreign.iter().any(|slot| hand.has(*slot)) {
        return Due::Conflict;
    }
    match hand.worth(Slot::Bearer, Surface::Mcp) {
        None | Some(Worth::Bad) => Due::Unauthorized,
        Some(_) => Due::Pass,
    }
}

pub(super) fn due_direct(rule: Rule, hand: &Hand) -> Due {
    let mut foreign = vec![Slot::Client, Slot::Instance];
    if rule != Rule::OptionalMcp {
        foreign.push(Slot::Bearer);
    }
    if hand.repeated() || foreign.iter().any(|slot| hand.has(*slot)) {
        return Due::Conflict;
    }
    let bearer = hand.worth(Slot::Bearer, Surface::Mcp);
    let key = hand.worth(Slot::Key, Surface::Direct);
    if [bearer, key].contains(&Some(Worth::Bad)) {
        return Due::Unauthorized;
    }
    match (rule, bearer, key) {
        (Rule::OptionalMcp, Some(bearer), Some(key)) if shop_of(bearer) != shop_of(key) => {
            Due::NotYours
        }
        (Rule::OptionalMcp, ..) => Due::Pass,
        (Rule::DirectName, _, None) => Due::Pass,
        (_, _, None) => Due::Unauthorized,
        (_, _, Some(key)) if opens_the_session(key) => Due::Pass,
        _ => Due::NotYours,
    }
}

/// The first shop's session: by any of its keys, unless that one is kept to another.
fn opens_the_session(key: Worth) -> bool {
    matches!(key, Worth::Shop('a') | Worth::Only('a', 's'))
}

/// Both credentials hold, and the key is that session's: a guest's, or the shop's own already.
pub(super) fn due_claim(hand: &Hand, whose: Whose) -> Due {
    let foreign = [Slot::Client, Slot::Instance];
    if hand.repeated() || foreign.iter().any(|slot| hand.has(*slot)) {
        return Due::Conflict;
    }
    let bearer = hand.worth(Slot::Bearer, Surface::Mcp);
    let key = hand.worth(Slot::Key, Surface::Direct);
    let (Some(shop), Some(key)) = (bearer, key) else {
        return Due::Unauthorized;
    };
    if [shop, key].contains(&Worth::Bad) {
        return Due::Unauthorized;
    }
    let opens = match whose {
        Whose::FirstShop => opens_the_session(key) && shop_of(shop) == Some('a'),
        Whose::Guest => key == Worth::Shop('g'),
    };
    match (opens, shop) {
        (false, _) => Due::NotYours,
        // A session more is the whole shop's business.
        (true, Worth::Only(..)) => Due::Forbidden,
        (true, _) => Due::Pass,
    }
}
