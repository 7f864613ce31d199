//! what each role may do, as a table that a change of must be looked at.

use recado_api::{RouteRow, Surface};

use crate::access::ROLES;

/// `yes`, `yes ⟂` (with the password again), or nothing.
fn cell(row: &RouteRow, at: usize) -> &'static str {
    match row.least {
        Some(least) if ROLES[at] < least => "",
        _ if row.confirmed => "yes ⟂",
        _ => "yes",
    }
}

fn rows_of_people() -> Vec<RouteRow> {
    let rows = recado_api::routes().into_iter();
    rows.filter(|row| row.least.is_some()).collect()
}

#[test]
fn what_each_role_may_do() {
    let mut text = String::from("| operation | viewer | developer | admin | owner |\n");
    for row in rows_of_people() {
        let cells = [0, 1, 2, 3].map(|at| cell(&row, at)).join(" | ");
        text.push_str(&format!("| {} {} | {cells} |\n", row.method, row.path));
    }
    insta::assert_snapshot!(text);
}

/// A row that a person reaches says which role that takes, and no other row does.
#[test]
fn a_role_stands_where_people_come() {
    for row in recado_api::routes() {
        use recado_api::auth::Rule;
        let by_person = match row.surface {
            // The link to a medium is proof enough.
            Surface::Instance => row.rule != Rule::Public,
            Surface::Dashboard => {
                let outside = [Rule::Visitor, Rule::LogIn, Rule::LogOut];
                !outside.contains(&row.rule)
            }
            _ => false,
        };
        assert_eq!(row.least.is_some(), by_person, "{row:?}");
        assert!(
            !row.confirmed || row.surface == Surface::Dashboard,
            "{row:?}"
        );
    }
}
