//! Who may do what, in a page: what the design says of credentials, without a database, a cache or a
//! token in it.

/// Indices into [`Model`]'s lists.
pub(super) type Id = usize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Client,
    Secret,
    Instance,
    Api,
    Session,
}

#[derive(Clone, Debug)]
pub(super) struct Credential {
    pub(super) account: usize,
    pub(super) kind: Kind,
    /// A secret dies with its client token, and has its restrictions.
    pub(super) parent: Option<Id>,
    pub(super) instance: Option<Id>,
    /// The one instance that its owner keeps it to.
    pub(super) only: Option<Id>,
    /// Kept to a network that is not ours.
    pub(super) away: bool,
    pub(super) until: Option<i64>,
    /// Revoked, or the end of its grace.
    pub(super) ends: Option<i64>,
    /// A successor took its place.
    pub(super) replaced: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Jwt {
    pub(super) secret: Id,
    /// Milliseconds, of a whole second.
    pub(super) expires: i64,
    pub(super) generation: u64,
    pub(super) revoked: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) account: usize,
    pub(super) gone: bool,
}

/// What the model goes by. A run in which leaving one out makes no difference did not try it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    Expiry,
    EndByHand,
    Parent,
    Network,
    OnlyOneInstance,
    OwnAccount,
    TheTokensInstance,
    InstanceGone,
    JwtExpiry,
    JwtRevoked,
    SignOut,
    SecretOfItsClient,
}

impl Rule {
    pub(super) const ALL: [Self; 12] = [
        Self::Expiry,
        Self::EndByHand,
        Self::Parent,
        Self::Network,
        Self::OnlyOneInstance,
        Self::OwnAccount,
        Self::TheTokensInstance,
        Self::InstanceGone,
        Self::JwtExpiry,
        Self::JwtRevoked,
        Self::SignOut,
        Self::SecretOfItsClient,
    ];
}

#[derive(Debug, Default)]
pub(super) struct Model {
    /// Left out, to see whether it matters.
    pub(super) without: std::cell::Cell<Option<Rule>>,
    pub(super) credentials: Vec<Credential>,
    pub(super) jwts: Vec<Jwt>,
    pub(super) instances: Vec<Instance>,
    pub(super) generations: [u64; 2],
}

/// One request: what is shown, and where.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use {
    Pair {
        client: Id,
        instance: Id,
        at: Id,
    },
    Jwt {
        jwt: Id,
        at: Id,
    },
    JwtToList {
        jwt: Id,
    },
    JwtToManage {
        jwt: Id,
    },
    Three {
        jwt: Id,
        client: Id,
        instance: Id,
        at: Id,
    },
    Token {
        client: Id,
        secret: Id,
    },
    Mcp {
        api: Id,
    },
    Session {
        key: Id,
        at: Id,
    },
    /// As the bearer of the instance API, where only a JWT belongs.
    AsJwt {
        any: Id,
    },
    /// As the bearer of the MCP endpoint.
    AsApi {
        any: Id,
    },
    JwtAsApi {
        jwt: Id,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    Unauthorized,
    Forbidden,
}

use Verdict::{Forbidden, Pass, Unauthorized};

impl Model {
    fn goes_by(&self, rule: Rule) -> bool {
        self.without.get() != Some(rule)
    }

    fn family(&self, id: Id) -> impl Iterator<Item = &Credential> {
        let one = &self.credentials[id];
        let parent = one
            .parent
            .filter(|_| self.goes_by(Rule::Parent))
            .map(|parent| &self.credentials[parent]);
        [Some(one), parent].into_iter().flatten()
    }

    pub(super) fn lives(&self, id: Id, now: i64) -> bool {
        let over = |rule, at: Option<i64>| self.goes_by(rule) && at.is_some_and(|at| at <= now);
        self.family(id).all(|one| {
            let gone = one.instance.is_some_and(|id| self.gone(id));
            !over(Rule::Expiry, one.until) && !over(Rule::EndByHand, one.ends) && !gone
        })
    }

    fn gone(&self, id: Id) -> bool {
        self.goes_by(Rule::InstanceGone) && self.instances[id].gone
    }

    /// Live, and shown from a network that its owner allows.
    fn holds(&self, id: Id, now: i64) -> bool {
        self.lives(id, now)
            && self
                .family(id)
                .all(|one| !self.goes_by(Rule::Network) || !one.away)
    }

    fn jwt_holds(&self, id: Id, now: i64) -> bool {
        let jwt = &self.jwts[id];
        let account = self.credentials[jwt.secret].account;
        self.holds(jwt.secret, now)
            && !(self.goes_by(Rule::JwtRevoked) && jwt.revoked)
            && (!self.goes_by(Rule::JwtExpiry) || now < jwt.expires)
            && (!self.goes_by(Rule::SignOut) || jwt.generation == self.generations[account])
    }

    fn only(&self, id: Id) -> Option<Id> {
        let only = self.family(id).find_map(|one| one.only);
        only.filter(|_| self.goes_by(Rule::OnlyOneInstance))
    }

    /// Whether the credential may be used for the instance at all.
    fn opens(&self, id: Id, at: Id) -> bool {
        let one = &self.credentials[id];
        let there = &self.instances[at];
        let own = one.kind != Kind::Instance || one.instance == Some(at);
        let chosen = self.only(id).is_none_or(|only| only == at);
        (there.account == one.account || !self.goes_by(Rule::OwnAccount))
            && (own || !self.goes_by(Rule::TheTokensInstance))
            && !self.gone(at)
            && chosen
    }

    fn at_instance(&self, shown: &[Id], at: Id) -> Verdict {
        match shown.iter().all(|id| self.opens(*id, at)) {
            true => Pass,
            false => Forbidden,
        }
    }

    pub(super) fn verdict(&self, what: Use, now: i64) -> Verdict {
        match what {
            Use::Pair {
                client,
                instance,
                at,
            } => {
                let hold = self.holds(client, now) && self.holds(instance, now);
                if hold {
                    self.at_instance(&[client, instance], at)
                } else {
                    Unauthorized
                }
            }
            Use::Jwt { jwt, at } => match self.jwt_holds(jwt, now) {
                true => self.at_instance(&[self.jwts[jwt].secret], at),
                false => Unauthorized,
            },
            Use::Three {
                jwt,
                client,
                instance,
                at,
            } => {
                let hold = self.holds(client, now) && self.holds(instance, now);
                let shown = [self.jwts[jwt].secret, client, instance];
                match hold && self.jwt_holds(jwt, now) {
                    true => self.at_instance(&shown, at),
                    false => Unauthorized,
                }
            }
            Use::JwtToList { jwt } if self.jwt_holds(jwt, now) => Pass,
            Use::JwtToManage { jwt } if self.jwt_holds(jwt, now) => {
                let secret = self.jwts[jwt].secret;
                let ends = self.family(secret).any(|one| one.until.is_some());
                match self.only(secret) {
                    None if !ends => Pass,
                    _ => Forbidden,
                }
            }
            Use::Token { client, secret } => {
                let pair = self.credentials[secret].parent == Some(client)
                    || !self.goes_by(Rule::SecretOfItsClient);
                if pair && self.holds(secret, now) {
                    Pass
                } else {
                    Unauthorized
                }
            }
            Use::Mcp { api } if self.holds(api, now) => Pass,
            Use::Session { key, at } if self.holds(key, now) && self.opens(key, at) => Pass,
            Use::AsApi { any }
                if self.credentials[any].kind == Kind::Api && self.holds(any, now) =>
            {
                Pass
            }
            // On the Direct API a session that is not one's own is 401, too.
            Use::JwtToList { .. }
            | Use::JwtToManage { .. }
            | Use::Mcp { .. }
            | Use::Session { .. }
            | Use::AsApi { .. }
            | Use::AsJwt { .. }
            | Use::JwtAsApi { .. } => Unauthorized,
        }
    }

    /// Ends a credential with its children; one that ends earlier stays so.
    pub(super) fn end(&mut self, id: Id, at: i64) {
        for (other, one) in self.credentials.iter_mut().enumerate() {
            if other == id || one.parent == Some(id) {
                one.ends = Some(one.ends.map_or(at, |ends| ends.min(at)));
                one.replaced = true;
            }
        }
    }
}
