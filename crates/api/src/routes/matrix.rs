//! Every row with what it asks for: the access matrix, and the list that tests go through.

use recado_model::Role;

use super::{RouteRow, table};
use crate::mcp;

/// Every row: HTTP routes in the table's order, then MCP methods, then tools by name.
pub fn routes() -> Vec<RouteRow> {
    let mut rows: Vec<_> = table().into_iter().map(|route| route.row).collect();
    rows.extend(mcp::rows());
    rows
}

/// `docs/access-matrix.md`: what each row asks for.
pub fn access_matrix() -> String {
    let mut text = String::from(
        "# Access matrix\n\n\
         Generated from the route table (`crates/api/src/routes/table.rs`); the rule of a row is the type of \
         its handler's first argument. Do not edit.\n\n\
         A person (dashboard cookie, or JWT from `POST /login`) needs the row's role or a higher one: viewer, \
         developer, admin, owner. ⟂: and the password again, within 10 minutes. Credentials have no role.\n\n\
         Whoever shows the dashboard cookie says whom the call means: `X-Recado-Account` and `X-Recado-User`, the ids \
         that `GET /dashboard/api/me` tells. Without them it is 400 `account_not_named`, and 409 `account_changed` \
         when the session is another account's or person's by now. Only that row itself and `/logout` work without.\n\n\
         | method | path | surface | asks for | role | note |\n|---|---|---|---|---|---|\n",
    );
    for row in routes() {
        let RouteRow {
            method,
            path,
            surface,
            rule,
            least,
            confirmed,
            note,
            ..
        } = row;
        let mut role = least.map_or("", Role::as_str).to_owned();
        if confirmed {
            role.push_str(" ⟂");
        }
        let surface = surface.as_str();
        text.push_str(&format!(
            "| {method} | `{path}` | {surface} | {rule} | {role} | {note} |\n"
        ));
    }
    text.push_str(
        "\nEverything else: 404 on every surface, after a valid `X-API-Key` on the Direct API \
         (401 without one). A known path with another method: 405 with `Allow`.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{
        Surface,
        auth::{Naming, Rule},
    };

    #[test]
    fn no_row_twice() {
        let mut seen = HashSet::new();
        for row in routes() {
            assert!(
                seen.insert((row.method.clone(), row.path.clone())),
                "{row:?}"
            );
        }
    }

    #[test]
    fn what_is_open_is_open_on_purpose() {
        let open: Vec<String> = routes()
            .into_iter()
            .filter(|row| row.rule == Rule::Public)
            .map(|row| format!("{} {}", row.method, row.path))
            .collect();
        assert_eq!(
            open,
            [
                // The link itself is the proof.
                "GET /media/{token}",
                "OPTIONS /api/mcp",
                "OPTIONS /api/mcp/",
                "GET /health",
                "GET /livez",
                "GET /readyz",
                "GET /",
                "GET /dashboard",
                "GET /dashboard/",
                "GET /dashboard/{*path}",
                "GET /.well-known/{*path}",
                "MCP initialize",
            ]
        );
    }

    /// A caller who acts by the cookie says for whom, or two tabs get in each other's way.
    #[test]
    fn what_need_not_name_its_account_is_so_on_purpose() {
        let unnamed: Vec<(String, Naming)> = routes()
            .into_iter()
            .filter(|row| row.surface == Surface::Dashboard && row.rule.naming() != Naming::Must)
            .map(|row| (format!("{} {}", row.method, row.path), row.rule.naming()))
            .collect();
        let due = [
            ("POST /login", Naming::Never),
            ("POST /logout", Naming::May),
            ("GET /dashboard/api/state", Naming::Never),
            ("POST /dashboard/api/links/look", Naming::Never),
            ("POST /dashboard/api/links/use", Naming::Never),
            ("POST /dashboard/api/signup", Naming::Never),
            ("POST /dashboard/api/reset", Naming::Never),
            ("GET /dashboard/api/me", Naming::May),
        ];
        assert_eq!(unnamed, due.map(|(row, naming)| (row.to_owned(), naming)));
    }

    #[test]
    fn what_the_instance_pair_may_never_do() {
        let paying = ["subscribe", "resume-subscription", "cancel"];
        for row in routes()
            .into_iter()
            .filter(|row| row.surface == Surface::Instance)
        {
            let by_pair = row.rule == Rule::Instance;
            let below = row.path.strip_prefix("/instances/{id}/");
            let due = below.is_some_and(|below| !paying.contains(&below));
            assert_eq!(by_pair, due, "{row:?}");
        }
    }

    #[test]
    fn the_matrix() {
        insta::assert_snapshot!(access_matrix());
    }
}
