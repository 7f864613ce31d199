//! Owner JWTs: nothing is accepted that was not signed by us, and of what is signed by us only what
//! says exactly what our own tokens say.
#![no_main]

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use recado_app::{App, Config, Deps};
use recado_engine::wa::{Network, WaConfig, WaEngine};
use recado_identity::{Presented, accounts};
use recado_model::{
    Clock, Rng, Role, Timestamp,
    clock::{ManualClock, OsRng},
};
use recado_store::{Database, MasterKey, Options, Store};
use serde_json::{Map, Value};
use sha2::Sha256;
use tokio::runtime::Runtime;

/// A gateway's services on a database of their own, without a network; time stands still.
struct World {
    runtime: Runtime,
    app: App,
    key: Vec<u8>,
    /// A token as `POST /token` gives it, and what it says.
    genuine: String,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    now: i64,
    _folder: tempfile::TempDir,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("recado.db");
    let (app, key, genuine, now) = runtime.block_on(open(path));
    let mut parts = genuine.split('.');
    let mut read = || -> Map<String, Value> {
        let part = BASE64
            .decode(parts.next().expect("a part"))
            .expect("base64");
        serde_json::from_slice(&part).expect("an object")
    };
    let (header, claims) = (read(), read());
    World {
        runtime,
        app,
        key,
        header,
        claims,
        now,
        genuine,
        _folder: folder,
    }
});

async fn open(path: std::path::PathBuf) -> (App, Vec<u8>, String, i64) {
    let rng: Arc<dyn Rng> = Arc::new(OsRng);
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp(1_767_225_600_000)));
    let store = Store::open(Options {
        database: Database::Sqlite { path },
        master_key: MasterKey::generate(&OsRng).0,
        rng: rng.clone(),
        migrate: true,
        init: true,
    })
    .await
    .expect("a database");
    let new = accounts::NewAccount {
        name: "Fuzz".into(),
        owner_email: "fuzz@example.com".into(),
        owner_password: None,
    };
    let made = accounts::create(&store, &*clock, &OsRng, new)
        .await
        .expect("an account");
    let engine = WaEngine::new(WaConfig {
        store: store.clone(),
        network: Network::WhatsApp,
        rng: rng.clone(),
    })
    .expect("an engine");
    let app = App::new(Deps {
        store: store.clone(),
        engine: Arc::new(engine),
        clock: clock.clone(),
        rng,
        config: Config::default(),
    })
    .await
    .expect("the services");
    let (token, secret) = (made.client_token.expose(), made.client_secret.expose());
    let client = app.access().client(token, secret, None).await;
    let issued = app.access().issue(&client.expect("a client"));
    let issued = issued.expect("a token");
    let keys = store
        .read()
        .await
        .expect("a connection")
        .system()
        .jwt_keys()
        .await
        .expect("keys");
    let [key] = &keys[..] else {
        panic!("a new database has one JWT key");
    };
    let now = clock.now().as_secs();
    (
        app,
        key.secret.to_vec(),
        issued.access_token.expose().to_owned(),
        now,
    )
}

impl World {
    fn accepts(&self, text: &str) -> bool {
        let presented = Presented {
            bearer: Some(text),
            ..Presented::default()
        };
        let access = self.app.access();
        let judged = async { access.owner(&presented, Role::Viewer).await.is_ok() };
        let limit = Duration::from_secs(10);
        self.runtime
            .block_on(async { tokio::time::timeout(limit, judged).await })
            .expect("a verdict")
    }

    fn sign(&self, header: &[u8], claims: &[u8]) -> String {
        let text = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any length");
        mac.update(text.as_bytes());
        format!("{text}.{}", BASE64.encode(mac.finalize().into_bytes()))
    }

    /// Whether a properly signed token says what ours say: judged on the JSON, apart from the
    /// program's own reading.
    fn is_ours(&self, header: &[u8], claims: &[u8]) -> bool {
        let (Ok(header), Ok(claims)) = (
            serde_json::from_slice::<Map<String, Value>>(header),
            serde_json::from_slice::<Map<String, Value>>(claims),
        ) else {
            return false;
        };
        let number = |name: &str| claims.get(name).and_then(Value::as_i64);
        let (Some(exp), Some(nbf), Some(iat)) = (number("exp"), number("nbf"), number("iat"))
        else {
            return false;
        };
        // Whatever may differ between two tokens of one client: the times and the token's own id.
        let fixed = |map: &Map<String, Value>| -> Map<String, Value> {
            let free = ["exp", "nbf", "iat", "jti"];
            let mut map = map.clone();
            map.retain(|name, _| !free.contains(&name.as_str()));
            map
        };
        header == self.header
            && fixed(&claims) == fixed(&self.claims)
            && claims.get("jti").is_some_and(Value::is_string)
            && claims.len() == self.claims.len()
            && exp > self.now
            && nbf <= self.now + 5
            && iat <= self.now + 5
            && (1..=3600).contains(&(i128::from(exp) - i128::from(iat)))
    }
}

fuzz_target!(|data: &[u8]| {
    let world = &*WORLD;
    let Some((mode, rest)) = data.split_first() else {
        // Else a program that refuses everything would pass.
        assert!(world.accepts(&world.genuine), "our own token is refused");
        return;
    };
    match mode % 5 {
        // Any text; the key is unknown to the fuzzer, so nothing that it makes is signed.
        0 => {
            if let Ok(text) = std::str::from_utf8(rest) {
                assert!(text == world.genuine || !world.accepts(text), "{text}");
            }
        }
        // Any header and any claims, signed by our key.
        1 => {
            let at = rest
                .iter()
                .position(|byte| *byte == b'\n')
                .unwrap_or(rest.len());
            let (header, claims) = rest.split_at(at);
            signed(world, header, claims.get(1..).unwrap_or_default());
        }
        // One member of a genuine token's header or claims replaced, dropped, added or doubled.
        2 | 3 => {
            let in_claims = mode % 5 == 3;
            let map = if in_claims {
                &world.claims
            } else {
                &world.header
            };
            let Some((change, value)) = rest.split_first() else {
                return;
            };
            let Some(changed) = altered(map, *change, value) else {
                return;
            };
            let whole = |map: &Map<String, Value>| serde_json::to_vec(map).expect("JSON");
            match in_claims {
                true => signed(world, &whole(&world.header), &changed),
                false => signed(world, &changed, &whole(&world.claims)),
            }
        }
        // A genuine token with one byte replaced, or cut, or continued.
        _ => {
            let [high, low, byte, tail @ ..] = rest else {
                return;
            };
            let at = usize::from(u16::from_be_bytes([*high, *low])) % world.genuine.len();
            let mut other = world.genuine.clone().into_bytes();
            match byte & 0x80 {
                0 => other[at] = *byte,
                _ => other.truncate(at),
            }
            other.extend_from_slice(tail);
            if let Ok(other) = String::from_utf8(other) {
                assert!(other == world.genuine || !world.accepts(&other), "{other}");
            }
        }
    }
});

fn signed(world: &World, header: &[u8], claims: &[u8]) {
    let text = world.sign(header, claims);
    if world.accepts(&text) {
        assert!(world.is_ours(header, claims), "accepted: {text}");
    }
}

/// The map's text with one change: `change` says which and on which member, `value` is the new text.
fn altered(map: &Map<String, Value>, change: u8, value: &[u8]) -> Option<Vec<u8>> {
    let value = std::str::from_utf8(value).ok()?;
    let names: Vec<&String> = map.keys().collect();
    let name = names[usize::from(change >> 3) % names.len()];
    let mut members: Vec<(String, String)> = map
        .iter()
        .map(|(name, value)| (name.clone(), value.to_string()))
        .collect();
    let at = members.iter().position(|(known, _)| known == name)?;
    match change & 7 {
        0..=2 => members[at].1 = value.to_owned(),
        3 => drop(members.remove(at)),
        4 => members.push((name.clone(), value.to_owned())),
        5 => {
            let (name, value) = value.split_once('=')?;
            members.push((name.to_owned(), value.to_owned()));
        }
        6 => members.insert(0, (name.clone(), value.to_owned())),
        _ => members[at].0 = value.to_owned(),
    }
    let members: Vec<String> = members
        .into_iter()
        .map(|(name, value)| format!("{}:{value}", Value::String(name)))
        .collect();
    Some(format!("{{{}}}", members.join(",")).into_bytes())
}
