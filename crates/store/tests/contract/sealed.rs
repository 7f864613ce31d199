//! Whoever has the file has no secret: neither as it is nor in base64.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use recado_model::{CredentialId, CredentialKind, Rng, Token, clock::OsRng};
use recado_store::{DeviceOp, NewCredential};

use crate::bed::{Bed, Kind, NOW};

#[tokio::test]
async fn no_secret_is_in_the_file() {
    let bed = Bed::on(Kind::Sqlite).await;
    let account = bed.account("a").await;
    let instance = bed.instance(&account, "a name in the clear").await.id;
    let mut secrets = vec![
        bed.webhook(&account, &instance)
            .await
            .0
            .expose()
            .as_bytes()
            .to_vec(),
    ];
    let mut conn = bed.store.write().await.expect("write");
    for kind in CredentialKind::ALL {
        let token = Token::random(kind.token_kind(), &OsRng);
        let new = NewCredential {
            id: CredentialId::random(&OsRng),
            token: &token,
            kind,
            label: None,
            instance: Some(&instance),
            parent: None,
            not_after: None,
            networks: &[],
            scope: Default::default(),
        };
        conn.account(&account)
            .issue(new, NOW)
            .await
            .expect("issues");
        secrets.push(token.expose().as_bytes().to_vec());
    }
    let key = conn.system().insert_jwt_key("k1", NOW).await.expect("key");
    secrets.push(key.secret.to_vec());
    for confirmed in [false, true] {
        let user = bed
            .user_in(&mut conn, &format!("{confirmed}@example.org"))
            .await;
        let mut seed = vec![0; 20];
        OsRng.fill(&mut seed);
        let mut people = conn.people();
        people.begin_totp(&user, &seed).await.expect("begins");
        if confirmed {
            let done = people.confirm_totp(&user, &seed, 1, &[]).await;
            assert!(done.expect("confirms").is_some());
        }
        secrets.push(seed);
    }
    conn.commit().await.expect("commit");
    let value = b"an identity key of 32 bytes 4567".to_vec();
    secrets.push(value.clone());
    let put = DeviceOp::Put {
        space: "identity",
        key: "k".into(),
        n: 0,
        value,
    };
    bed.store
        .device(&account, &instance)
        .apply(vec![put])
        .await
        .expect("puts");
    // Before closing: the write-ahead log counts too.
    let look = || {
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(bed.folder().join("data")).expect("lists") {
            bytes.extend(std::fs::read(entry.expect("entry").path()).expect("reads"));
        }
        assert!(contains(&bytes, b"a name in the clear"), "the search works");
        for secret in &secrets {
            assert!(!contains(&bytes, secret));
            // The part of a base64 text that does not depend on what stands around it.
            for shift in 0..3 {
                let text =
                    STANDARD_NO_PAD.encode(&secret[shift..shift + (secret.len() - 3) / 3 * 3]);
                assert!(!contains(&bytes, text.as_bytes()));
            }
        }
    };
    look();
    bed.store.close().await;
    look();
    bed.close().await;
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
