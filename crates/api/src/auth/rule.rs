//! Rules by name: what the access matrix, the OpenAPI document and the tests read off a guard.

use std::fmt;

use super::Naming;

/// The proof that a caller needs to reach a handler; the vocabulary of the access matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// Nothing.
    Public,
    /// Client token and client secret, in the body or by HTTP Basic.
    ClientCredentials,
    /// The owner's JWT.
    Owner,
    /// The owner's JWT, from a client that is not restricted to some instances.
    AccountOwner,
    /// The owner's JWT, for one of the owner's instances.
    OwnerInstance,
    /// The owner's JWT, or client token with instance token; for that instance.
    Instance,
    /// `wz_` bearer.
    Mcp,
    /// `wz_` bearer, except for `initialize`.
    McpOpenInitialize,
    /// `wz_` bearer, or nothing: then a guest.
    OptionalMcp,
    /// `sk_` key of the account that owns the Direct API instance.
    DirectKey,
    /// `wz_` bearer of a shop, with the `sk_` key of the Direct API instance.
    DirectClaim,
    /// The unguessable name of a Direct API instance in the path; proves nothing else.
    DirectName,
    /// Nothing, from a page of the dashboard.
    Visitor,
    /// E-mail, password, second factor.
    LogIn,
    /// The dashboard's cookie, whether it holds or not.
    LogOut,
    /// The dashboard's cookie, whoever's it is.
    Whoever,
    /// The dashboard's cookie.
    SignedIn,
    /// The dashboard's cookie, of a member with the row's role.
    Member,
    /// The same, for one of the account's instances.
    MemberInstance,
}

impl Rule {
    pub const ALL: [Self; 19] = [
        Self::Public,
        Self::ClientCredentials,
        Self::Owner,
        Self::AccountOwner,
        Self::OwnerInstance,
        Self::Instance,
        Self::Mcp,
        Self::McpOpenInitialize,
        Self::OptionalMcp,
        Self::DirectKey,
        Self::DirectClaim,
        Self::DirectName,
        Self::Visitor,
        Self::LogIn,
        Self::LogOut,
        Self::Whoever,
        Self::SignedIn,
        Self::Member,
        Self::MemberInstance,
    ];

    /// The matrix' words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Public => "open",
            Self::ClientCredentials => "client token + client secret",
            Self::Owner => "owner JWT",
            Self::AccountOwner => "owner JWT, not restricted to instances",
            Self::OwnerInstance => "owner JWT of the instance's account",
            Self::Instance => "owner JWT, or X-Client-Token + X-Instance-Token",
            Self::Mcp => "Bearer wz_",
            Self::McpOpenInitialize => "Bearer wz_ (`initialize` is open)",
            Self::OptionalMcp => "open (guest), or Bearer wz_",
            Self::DirectKey => "X-API-Key sk_ of the session's account",
            Self::DirectClaim => "Bearer wz_ and X-API-Key sk_ of the session",
            Self::DirectName => "the unguessable name in the path",
            Self::Visitor => "open, to the dashboard's pages",
            Self::LogIn => "e-mail + password (+ second factor)",
            Self::LogOut => "open; ends the session of the cookie",
            Self::Whoever => "dashboard cookie, whoever's it is",
            Self::SignedIn => "dashboard cookie",
            Self::Member => "dashboard cookie",
            Self::MemberInstance => "dashboard cookie of the instance's account",
        }
    }

    /// Whether its calls name the account and the person that they mean.
    pub fn naming(self) -> Naming {
        match self {
            Self::SignedIn | Self::Member | Self::MemberInstance => Naming::Must,
            Self::Whoever | Self::LogOut => Naming::May,
            _ => Naming::Never,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.describe())
    }
}
