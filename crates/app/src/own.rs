//! What others see of an instance's own number, as WhatsApp last told it. `session/status` shows it, is asked often,
//! and must not wait for WhatsApp: what is old is shown, and asked for anew behind the answer.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use quick_cache::sync::Cache;
use recado_identity::Granted;
use recado_model::{
    AccountId, Address, ConnectionState, InstanceId, Monotonic, Result,
    call::{Describe, FindPicture, ReadBusiness},
    person::BusinessProfile,
};

use crate::App;

const FRESH_MS: i64 = 10 * 60 * 1000;
/// How long the first look waits.
const PATIENCE_MS: i64 = 1_500;
const KEPT: usize = 10_000;

/// A number's own profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnProfile {
    pub about: Option<String>,
    pub picture_id: Option<String>,
    pub picture_url: Option<String>,
    pub verified_name: Option<String>,
    pub business: Option<BusinessProfile>,
}

#[derive(Clone)]
struct Known {
    profile: OwnProfile,
    at: Monotonic,
}

/// Profiles of late, and those that are being asked for.
pub(crate) struct Own {
    known: Cache<InstanceId, Known>,
    asking: Mutex<HashSet<InstanceId>>,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            known: Cache::new(KEPT),
            asking: Mutex::default(),
        }
    }
}

impl Own {
    /// It changed, or is another number's from now on.
    pub fn forget(&self, instance: &InstanceId) {
        self.known.remove(instance);
    }

    /// `false`: somebody does already.
    fn begin(&self, instance: &InstanceId) -> bool {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        asking.insert(instance.clone())
    }

    fn done(&self, instance: &InstanceId) {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        asking.remove(instance);
    }
}

/// The profile as it was last told; of one that nobody has asked for yet, what WhatsApp tells in a moment.
pub(crate) async fn shown(app: &App, granted: &Granted) -> Option<OwnProfile> {
    let (core, instance) = (&app.core, granted.instance());
    let own = instance.jid.clone()?;
    let known = core.own.known.get(&instance.id);
    let now = core.clock.monotonic();
    let is_fresh = known
        .as_ref()
        .is_some_and(|known| now.since(known.at) < FRESH_MS);
    if is_fresh || instance.state != ConnectionState::Connected || !core.own.begin(&instance.id) {
        return known.map(|known| known.profile);
    }
    let (task_app, account) = (app.clone(), granted.account().clone());
    let id = instance.id.clone();
    let asked = tokio::spawn(async move {
        let core = &task_app.core;
        let told = read(&task_app, &account, &id, own).await;
        if let Ok(profile) = &told {
            let (profile, at) = (profile.clone(), core.clock.monotonic());
            core.own.known.insert(id.clone(), Known { profile, at });
        }
        core.own.done(&id);
        told.ok()
    });
    if let Some(known) = known {
        return Some(known.profile);
    }
    tokio::select! {
        told = asked => told.ok().flatten(),
        () = core.clock.sleep_ms(PATIENCE_MS) => None,
    }
}

/// Asks WhatsApp.
pub(crate) async fn read(
    app: &App,
    account: &AccountId,
    id: &InstanceId,
    own: Address,
) -> Result<OwnProfile> {
    let people = vec![own.clone()];
    let told = app.exchange.ask(account, id, Describe { people }).await?;
    let info = told.into_iter().next().map(|(_, info)| info);
    let info = info.unwrap_or_default();
    let picture = match info.picture_id {
        Some(_) => {
            let of = own.clone();
            let preview = false;
            app.exchange
                .ask(account, id, FindPicture { of, preview })
                .await?
        }
        None => None,
    };
    let business = app.exchange.ask(account, id, ReadBusiness { of: own });
    let business = business.await?;
    Ok(OwnProfile {
        about: info.about,
        picture_id: info.picture_id,
        picture_url: picture.map(|picture| picture.url),
        verified_name: info.verified_name,
        business,
    })
}
