//! Making an account of one's own: closed, by invitation of the operator, open.

use serde_json::{Value, json};

use super::{Browser, NEW_PASSWORD, OWNER, PASSWORD, PROXY, text};
use crate::gateway::{Bed, until};

const NEW: &str = "new@example.com";

on_both! {
    with = super::PROXY;
    closed_says_so,
}

async fn closed_says_so(bed: &mut Bed) {
    let mut browser = Browser::new(bed);
    assert_eq!(browser.get("/state").await.ok()["signup"], "closed");
    for email in [NEW, OWNER] {
        let refused = browser.post("/signup", json!({"email": email})).await;
        refused.refused(403, "signup_closed");
    }
    assert!(bed.inbox().unread().is_empty());
}

mod by_invitation {
    use recado_identity::users::operator::Operator;
    use recado_model::Clock;

    use super::*;
    use crate::gateway::rng;

    on_both! {
        with = "trusted_proxies = [\"127.0.0.1\"]\nusers.signup = \"invite\"\n";
        whom_the_operator_invites_comes_in,
    }

    async fn link(bed: &Bed, email: &str) -> String {
        let clock: std::sync::Arc<dyn Clock> = bed.clock.clone();
        let operator = Operator {
            store: &bed.gateway().store,
            clock: &clock,
            rng: &rng(),
            public_url: &bed.gateway().base_url,
        };
        let link = operator.sign_up_link(email, 3_600_000).await;
        let link = link.expect("a link").expose().to_owned();
        link.split('#').nth(1).expect("a token").to_owned()
    }

    async fn whom_the_operator_invites_comes_in(bed: &mut Bed) {
        let mut browser = Browser::new(bed);
        assert_eq!(browser.get("/state").await.ok()["signup"], "invite");
        let refused = browser.post("/signup", json!({"email": NEW})).await;
        refused.refused(403, "signup_closed");
        let token = link(bed, NEW).await;
        comes_in(bed, &token).await;
        // Who is a user already shows that password, and has one account more.
        let token = link(bed, OWNER).await;
        let seen = browser.look(&token).await.ok();
        assert_eq!(seen["known"], true);
        let body = |password: &str| json!({"account_name": "Second", "password": password});
        let wrong = browser.use_link(&token, body(NEW_PASSWORD)).await;
        wrong.refused(401, "login_failed");
        browser.use_link(&token, body(PASSWORD)).await.expect(200);
        let me = browser.me().await;
        assert_eq!(text(&me, "/account/name"), "Second");
        assert_eq!(me["accounts"].as_array().map(Vec::len), Some(2));
    }
}

/// The page that a sign-up link opens, for who is new.
async fn comes_in(bed: &Bed, token: &str) {
    let mut browser = Browser::new(bed);
    let seen = browser.look(token).await.ok();
    assert_eq!(
        (&seen["kind"], &seen["email"], &seen["known"]),
        (&json!("signup"), &json!(NEW), &json!(false))
    );
    let body = |name: Value, password: &str| json!({"account_name": name, "password": password});
    for (field, body) in [
        ("account_name", json!({"password": NEW_PASSWORD})),
        ("account_name", body(json!(""), NEW_PASSWORD)),
        ("password", body(json!("Loja"), "too short")),
        ("password", json!({"account_name": "Loja"})),
    ] {
        let refused = browser.use_link(token, body).await;
        assert_eq!(refused.refused(400, "invalid_field")["field"], field);
    }
    let used = browser
        .use_link(token, body(json!("Loja"), NEW_PASSWORD))
        .await;
    assert_eq!(used.ok(), json!({"signed_in": true}));
    let me = browser.me().await;
    assert_eq!(text(&me, "/user/email"), NEW);
    assert_eq!(
        me["user"]["operator"], false,
        "only the first one runs the gateway"
    );
    assert_eq!(
        (&me["account"]["name"], &me["account"]["role"]),
        (&json!("Loja"), &json!("owner"))
    );
    assert_eq!(me["accounts"].as_array().map(Vec::len), Some(1));
    // An account has its first credentials from the start.
    let credentials = browser.get("/credentials").await.ok();
    assert_eq!(credentials["credentials"].as_array().map(Vec::len), Some(3));
    let again = Browser::new(bed)
        .use_link(token, body(json!("Loja"), NEW_PASSWORD))
        .await;
    again.refused(410, "link_invalid");
    Browser::new(bed)
        .log_in(NEW, NEW_PASSWORD)
        .await
        .expect(200);
}

mod open {
    use super::*;

    on_both! {
        with = "trusted_proxies = [\"127.0.0.1\"]\nusers.signup = \"open\"\n";
        a_letter_lets_in,
        the_answer_tells_nothing_and_the_letters_all,
        of_two_links_to_one_address_one_wins,
        asking_is_limited,
    }

    async fn ask(bed: &Bed, email: &str) {
        let mut browser = Browser::new(bed);
        let asked = browser.post("/signup", json!({"email": email})).await;
        asked.expect(202);
    }

    const WANTED: &str = "Finish signing up";

    async fn a_letter_lets_in(bed: &mut Bed) {
        let mut inbox = bed.inbox();
        ask(bed, " New@Example.com").await;
        let token = inbox.next(NEW, WANTED).await.token();
        assert!(bed.find_user(NEW).await.is_none(), "asking makes nobody");
        comes_in(bed, &token).await;
        // Half an hour.
        ask(bed, "later@example.com").await;
        let token = inbox.next("later@example.com", WANTED).await.token();
        bed.clock.jump_secs(1800);
        let late = json!({"account_name": "Late", "password": NEW_PASSWORD});
        let late = Browser::new(bed).use_link(&token, late).await;
        late.refused(410, "link_invalid");
    }

    /// P-06.
    async fn the_answer_tells_nothing_and_the_letters_all(bed: &mut Bed) {
        let mut inbox = bed.inbox();
        let mut seen = Vec::new();
        for email in [OWNER, NEW, OWNER, NEW] {
            let mut browser = Browser::new(bed);
            let body = json!({"email": email, "language": "en"});
            let answer = browser.post("/signup", body).await.expect(202);
            let names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            seen.push((answer.text(), names));
        }
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
        let known = inbox.next(OWNER, "already have a login").await;
        assert!(!known.text.contains("link#"), "{}", known.text);
        assert!(known.text.contains("/dashboard"), "{}", known.text);
        inbox.next(NEW, WANTED).await.token();
        for (email, body) in [
            ("nobody", json!({"email": "nobody"})),
            (NEW, json!({"email": NEW, "account": "AC1"})),
            (NEW, json!({"email": NEW, "language": "tlh"})),
        ] {
            let answer = Browser::new(bed).post("/signup", body).await;
            assert_eq!(answer.status, 400, "{email}: {answer:?}");
        }
    }

    async fn of_two_links_to_one_address_one_wins(bed: &mut Bed) {
        let mut inbox = bed.inbox();
        ask(bed, NEW).await;
        let old = inbox.next(NEW, WANTED).await.token();
        ask(bed, NEW).await;
        let token = inbox.next(NEW, WANTED).await.token();
        let body = json!({"account_name": "Loja", "password": NEW_PASSWORD});
        let by_old = Browser::new(bed).use_link(&old, body.clone()).await;
        by_old.refused(410, "link_invalid");
        let (mut one, mut two) = (Browser::new(bed), Browser::new(bed));
        let (a, b) = tokio::join!(
            one.use_link(&token, body.clone()),
            two.use_link(&token, body.clone())
        );
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(
            statuses,
            [200, 410],
            "a double click acts once: {a:?} {b:?}"
        );
    }

    async fn asking_is_limited(bed: &mut Bed) {
        let mut inbox = bed.inbox();
        for (email, about) in [(NEW, WANTED), (OWNER, "already have a login")] {
            // Five letters an hour to one address, known or not.
            for _ in 0..5 {
                ask(bed, email).await;
                inbox.next(email, about).await;
            }
            let browser = Browser::new(bed);
            let closed = until("the form to close", async || {
                let call = browser.call("POST", "/dashboard/api/signup");
                let answer = call.json(json!({"email": email})).send().await;
                (answer.status == 429).then_some(answer)
            })
            .await;
            let secs = closed.header("retry-after").parse::<u64>();
            assert!(secs.is_ok_and(|secs| secs >= 1), "{closed:?}");
            closed.refused(429, "rate_limited");
            // Signing in with it is another matter.
            let due = if email == OWNER { 200 } else { 401 };
            let answer = Browser::new(bed).log_in(email, PASSWORD).await;
            assert_eq!(answer.status, due, "{answer:?}");
            // That was one network: a quarter of an hour and it may ask again.
            bed.clock.jump_secs(901);
        }
        ask(bed, "other@example.com").await;
        inbox.next("other@example.com", WANTED).await;
        assert_eq!((inbox.unread_to(NEW), inbox.unread_to(OWNER)), (0, 0));
    }
}
