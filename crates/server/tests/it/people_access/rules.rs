//! What must come out on the dashboard's own API, by its rules alone: a second, small hand beside the
//! program's.

use recado_api::{RouteRow, auth::Rule};
use recado_model::Role;

/// What a request's cookies are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// None of ours, or one that does not hold.
    Nobody,
    /// Ours, more than once.
    Twice,
    /// Somebody of the first or the second shop; `proven`: the password was given lately.
    Person {
        shop: char,
        role: Role,
        proven: bool,
    },
}

/// What a browser says of the page that a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// Our own, or by another name of loopback.
    Ours,
    /// Of another site, whatever that is.
    Foreign,
    /// An address that was typed, or a bookmark.
    Typed,
    /// Nothing is said: a program, or a browser of long ago.
    Silent,
}

/// Must come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Pass,
    Unauthorized,
    /// 400 `conflicting_credentials`.
    Conflict,
    ForeignOrigin,
    /// The instance is another account's.
    Forbidden,
    RoleTooLow,
    ProofRequired,
}

/// For a row whose `{id}` is the first shop's. `beside`: a credential of another surface is shown too.
pub(super) fn due(row: &RouteRow, worth: Worth, page: Page, beside: bool) -> Due {
    let outside = [Rule::Visitor, Rule::LogIn].contains(&row.rule);
    if outside && beside {
        return Due::Conflict;
    }
    let reads = row.method == "GET";
    let programs = [Rule::LogIn, Rule::LogOut].contains(&row.rule);
    let fine = match page {
        Page::Ours => true,
        Page::Foreign => false,
        Page::Typed => reads,
        Page::Silent => reads || programs,
    };
    match (fine, row.rule, worth) {
        (false, ..) => Due::ForeignOrigin,
        _ if beside => Due::Conflict,
        // No cookie is looked for.
        (_, Rule::Visitor, _) => Due::Pass,
        // Whatever was there, a session may begin, and any may end.
        (_, Rule::LogIn | Rule::LogOut, _) => Due::Pass,
        (.., Worth::Twice) => Due::Conflict,
        (.., Worth::Nobody) => Due::Unauthorized,
        (_, rule, Worth::Person { shop, role, proven }) => {
            if rule == Rule::MemberInstance && shop != 'a' {
                Due::Forbidden
            } else if row.least.is_some_and(|least| role < least) {
                Due::RoleTooLow
            } else if row.confirmed && !proven {
                Due::ProofRequired
            } else {
                Due::Pass
            }
        }
    }
}
