//! Who else is in an account: roles, and that none grows beyond its own.

use recado_api::{Surface, auth::Rule};
use recado_model::Role;
use serde_json::{Value, json};

use super::{Browser, OWNER, OWNER_TOO, PASSWORD, PROXY, audit_rows, text};
use crate::gateway::Bed;

on_both! {
    with = super::PROXY;
    a_list_for_all_and_invitations_for_admins,
    admins_manage_all_but_owners,
    the_last_owner_stays,
    two_owners_who_lower_each_other_leave_one,
    anybody_may_leave,
    a_changed_role_counts_at_once,
    a_viewer_changes_nothing,
    accounts_do_not_see_each_other,
    every_change_leaves_a_row,
}

const ROLES: [(&str, Role); 3] = [
    ("admin@example.com", Role::Admin),
    ("dev@example.com", Role::Developer),
    ("viewer@example.com", Role::Viewer),
];

async fn staff(bed: &Bed) -> Vec<String> {
    let mut ids = Vec::new();
    for (email, role) in ROLES {
        ids.push(bed.member(&bed.a, email, role).await.to_string());
    }
    ids
}

async fn set_role(browser: &mut Browser<'_>, user: &str, role: &str) -> crate::call::Answer {
    browser
        .patch(&format!("/members/{user}"), json!({"role": role}))
        .await
}

async fn owners(bed: &Bed) -> usize {
    let mut conn = bed.read().await;
    let members = conn.account(&bed.a.id).members().await.expect("members");
    members
        .iter()
        .filter(|member| member.role == Role::Owner)
        .count()
}

async fn a_list_for_all_and_invitations_for_admins(bed: &mut Bed) {
    staff(bed).await;
    let mut owner = Browser::proven(bed, OWNER).await;
    let invite = json!({"email": "new@example.com", "role": "viewer"});
    owner.post("/members/invite", invite).await.expect(200);
    for (email, sees) in [
        (OWNER, 1),
        ("admin@example.com", 1),
        ("dev@example.com", 0),
        ("viewer@example.com", 0),
    ] {
        let mut browser = Browser::of(bed, email).await;
        let list = browser.get("/members").await.ok();
        let members = list["members"].as_array().expect("members");
        assert_eq!(members.len(), 4);
        let you: Vec<String> = members
            .iter()
            .filter(|member| member["you"] == true)
            .map(|member| text(member, "/email"))
            .collect();
        assert_eq!(you, [email]);
        assert_eq!(
            list["invitations"].as_array().map(Vec::len),
            Some(sees),
            "{email}"
        );
        assert!(!list.to_string().contains("link"), "{list}");
    }
}

async fn admins_manage_all_but_owners(bed: &mut Bed) {
    let ids = staff(bed).await;
    let owner = bed.user(OWNER).await.id.to_string();
    let mut admin = Browser::proven(bed, "admin@example.com").await;
    for role in ["admin", "viewer", "owner"] {
        set_role(&mut admin, &owner, role)
            .await
            .refused(403, "role_too_low");
    }
    admin
        .delete(&format!("/members/{owner}"))
        .await
        .refused(403, "role_too_low");
    for id in &ids {
        set_role(&mut admin, id, "owner")
            .await
            .refused(403, "role_too_low");
    }
    let invite = json!({"email": "boss@example.com", "role": "owner"});
    admin
        .post("/members/invite", invite)
        .await
        .refused(403, "role_too_low");
    for role in ["admin", "developer", "viewer"] {
        set_role(&mut admin, &ids[2], role).await.expect(204);
    }
    admin
        .delete(&format!("/members/{}", ids[1]))
        .await
        .expect(204);
    for role in ["", "OWNER", "operator", "root"] {
        let refused = set_role(&mut admin, &ids[2], role).await;
        assert_eq!(refused.refused(400, "invalid_field")["field"], "role");
    }
    // What an owner invited as an owner is an owner's to withdraw.
    let mut boss = Browser::proven(bed, OWNER).await;
    let invite = json!({"email": "boss@example.com", "role": "owner"});
    let invited = boss.post("/members/invite", invite).await.ok();
    let path = format!("/members/invitations/{}", text(&invited, "/id"));
    admin.delete(&path).await.refused(403, "role_too_low");
    boss.delete(&path).await.expect(204);
    // An owner makes an owner, and unmakes one.
    set_role(&mut boss, &ids[0], "owner").await.expect(204);
    set_role(&mut boss, &ids[0], "developer").await.expect(204);
    assert_eq!(owners(bed).await, 1);
}

async fn the_last_owner_stays(bed: &mut Bed) {
    staff(bed).await;
    let me = bed.user(OWNER).await.id.to_string();
    let mut owner = Browser::proven(bed, OWNER).await;
    for role in ["admin", "viewer"] {
        set_role(&mut owner, &me, role)
            .await
            .refused(409, "conflict");
    }
    owner
        .delete(&format!("/members/{me}"))
        .await
        .refused(409, "conflict");
    assert_eq!((owner.alive().await, owners(bed).await), (200, 1));
    // With another one, both can be done.
    let other = bed.member(&bed.a, "other@example.com", Role::Owner).await;
    owner.delete(&format!("/members/{me}")).await.expect(204);
    assert_eq!(owner.alive().await, 401);
    let mut other_one = Browser::proven(bed, "other@example.com").await;
    let leave = other_one.delete(&format!("/members/{other}")).await;
    leave.refused(409, "conflict");
    assert_eq!(owners(bed).await, 1);
}

async fn two_owners_who_lower_each_other_leave_one(bed: &mut Bed) {
    let a = bed.user(OWNER).await.id;
    let b = bed.member(&bed.a, "other@example.com", Role::Owner).await;
    for (n, verb) in ["lower", "remove", "lower"].into_iter().enumerate() {
        let mut one = Browser::proven(bed, OWNER).await;
        let mut two = Browser::proven(bed, "other@example.com").await;
        let act = async |browser: &mut Browser<'_>, whom: &str| match verb {
            "lower" => set_role(browser, whom, "viewer").await,
            _ => browser.delete(&format!("/members/{whom}")).await,
        };
        let (x, y) = tokio::join!(act(&mut one, b.as_str()), act(&mut two, a.as_str()));
        let done = [x.status, y.status]
            .iter()
            .filter(|status| **status == 204)
            .count();
        assert_eq!(done, 1, "{n}: {x:?} {y:?}");
        assert_eq!(owners(bed).await, 1, "{n}");
        // As it was.
        let mut conn = bed.write().await;
        for user in [&a, &b] {
            let now = recado_model::Clock::now(&*bed.clock);
            let mut people = conn.people();
            people
                .add_member(&bed.a.id, user, Role::Owner, now)
                .await
                .expect("added");
            let mut account = conn.account(&bed.a.id);
            account.set_role(user, Role::Owner).await.expect("an owner");
        }
        conn.commit().await.expect("commit");
        bed.clock.jump_secs(2);
        crate::gateway::until("two owners", async || {
            (owners(bed).await == 2).then_some(())
        })
        .await;
    }
}

async fn anybody_may_leave(bed: &mut Bed) {
    let ids = staff(bed).await;
    for ((email, _), id) in ROLES.iter().zip(&ids) {
        let mut browser = Browser::of(bed, email).await;
        let path = format!("/members/{id}");
        browser.delete(&path).await.refused(403, "proof_required");
        browser.confirm().await;
        browser.delete(&path).await.expect(204);
        assert_eq!(browser.alive().await, 401);
        let back = Browser::new(bed).log_in(email, PASSWORD).await;
        back.refused(403, "forbidden");
    }
    let mut owner = Browser::of(bed, OWNER).await;
    let rows = audit_rows(&mut owner, "?kind=member.removed").await;
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0]["detail"]["by"]["user"], ids[2].as_str());
}

/// Sessions and JWTs of a member end with the role under which they began, in every account.
async fn a_changed_role_counts_at_once(bed: &mut Bed) {
    let ids = staff(bed).await;
    let mut owner = Browser::proven(bed, OWNER).await;
    let mut dev = Browser::new(bed);
    let answer = dev.log_in("dev@example.com", PASSWORD).await.ok();
    let jwt = text(&answer, "/access_token");
    // The role that they have already ends nothing.
    set_role(&mut owner, &ids[1], "developer").await.expect(204);
    assert_eq!((dev.alive().await, bed.by_jwt(&jwt).await), (200, 200));
    set_role(&mut owner, &ids[1], "admin").await.expect(204);
    assert_eq!((dev.alive().await, bed.by_jwt(&jwt).await), (401, 401));
    dev.log_in("dev@example.com", PASSWORD).await.expect(200);
    dev.get("/audit").await.expect(200);
}

/// Every row that asks for more than a viewer, over the route table.
async fn a_viewer_changes_nothing(bed: &mut Bed) {
    staff(bed).await;
    let made = bed.create(&bed.a, json!({"name": "Theirs"})).await;
    let browser = Browser::proven(bed, "viewer@example.com").await;
    let mut asked = 0;
    for row in recado_api::routes() {
        if row.surface != Surface::Dashboard || row.least.is_none_or(|least| least <= Role::Viewer)
        {
            continue;
        }
        let id = if row.rule == Rule::MemberInstance {
            made.id.as_str()
        } else {
            "x"
        };
        let path = row.path.replace("{id}", id);
        let path = path
            .replace("{cid}", "CR1")
            .replace("{uid}", "US1")
            .replace("{lid}", "LN1");
        let call = browser.call(&row.method, &path).json(json!({}));
        let refused = call.send().await.refused(403, "role_too_low");
        assert!(text(&refused, "/error").contains("viewer"), "{refused}");
        asked += 1;
    }
    assert!(asked >= 15, "only {asked}");
    // Of another account's instance they hear the same as of none.
    let theirs = bed.create(&bed.b, json!({"name": "Foreign"})).await;
    let mut seen = Vec::new();
    for id in [theirs.id.as_str(), "RC00000000000000000000000000"] {
        let call = browser.call("GET", &format!("/dashboard/api/instances/{id}"));
        seen.push(call.send().await.refused(403, "forbidden"));
    }
    assert_eq!(seen[0], seen[1]);
}

async fn accounts_do_not_see_each_other(bed: &mut Bed) {
    let ids = staff(bed).await;
    let mut stranger = Browser::proven(bed, OWNER_TOO).await;
    let mut owner = Browser::proven(bed, OWNER).await;
    let invite = json!({"email": "new@example.com", "role": "viewer"});
    let invited = owner.post("/members/invite", invite).await.ok();
    let invitation = format!("/members/invitations/{}", text(&invited, "/id"));
    let member = format!("/members/{}", ids[2]);
    for path in [
        member.as_str(),
        "/members/US00000000000000000000000000",
        "/members/x",
    ] {
        let patch = stranger.patch(path, json!({"role": "viewer"})).await;
        patch.refused(404, "not_found");
        stranger.delete(path).await.refused(404, "not_found");
    }
    stranger.delete(&invitation).await.refused(404, "not_found");
    let list = stranger.get("/members").await.ok().to_string();
    for other in ["viewer@example.com", OWNER, "new@example.com"] {
        assert!(!list.contains(&format!("\"{other}\"")), "{list}");
    }
    let log = stranger.get("/audit?limit=500").await.ok().to_string();
    assert!(!log.contains("new@example.com"), "{log}");
    owner.delete(&invitation).await.expect(204);
}

async fn every_change_leaves_a_row(bed: &mut Bed) {
    let ids = staff(bed).await;
    let mut owner = Browser::proven(bed, OWNER).await;
    let me = bed.user(OWNER).await.id.to_string();
    let invite = json!({"email": "new@example.com", "role": "viewer"});
    let invited = owner.post("/members/invite", invite).await.ok();
    let invitation = text(&invited, "/id");
    owner
        .delete(&format!("/members/invitations/{invitation}"))
        .await
        .expect(204);
    set_role(&mut owner, &ids[1], "viewer").await.expect(204);
    owner
        .delete(&format!("/members/{}", ids[1]))
        .await
        .expect(204);
    owner
        .patch("/account", json!({"name": "Renamed"}))
        .await
        .expect(200);
    let made = bed.create(&bed.a, json!({"name": "Shown"})).await;
    let shown = owner
        .post(&format!("/instances/{}/token", made.id), json!({}))
        .await;
    assert_eq!(text(&shown.ok(), "/token"), made.token);
    let rows = audit_rows(&mut owner, "?limit=500").await;
    let detail = |kind: &str| -> Value {
        let row = rows.iter().find(|row| row["kind"] == kind);
        row.unwrap_or_else(|| panic!("no {kind}"))["detail"].clone()
    };
    for kind in [
        "member.invited",
        "member.withdrawn",
        "member.role",
        "member.removed",
        "account.changed",
        "credential.shown",
    ] {
        let detail = detail(kind);
        assert_eq!(detail["by"]["proof"], "user_session", "{kind}: {detail}");
        assert_eq!(detail["by"]["user"], me.as_str(), "{kind}: {detail}");
        assert_eq!(detail["from"], "198.51.100.1", "{kind}: {detail}");
    }
    assert_eq!(detail("member.invited")["email"], "new@example.com");
    assert_eq!(detail("member.invited")["invitation"], invitation.as_str());
    let role = detail("member.role");
    assert_eq!(
        (&role["was"], &role["role"]),
        (&json!("developer"), &json!("viewer"))
    );
    assert_eq!(role["member"], ids[1].as_str());
    assert_eq!(detail("account.changed")["name"], "Renamed");
    assert!(!json!(rows).to_string().contains(&made.token));
}
