//! The connection life of an instance: QR, pair code, status, disconnect.

use recado_identity::{Calls, Granted, access::require_unrestricted};
use recado_model::{
    Address, ConnectionState, Error, ErrorCode, Instance, PhoneNumber, Result, StateReason,
    Timestamp,
    chat::SyncTrouble,
    instance::{LinkingCode, NewInstance, Origin},
    text::require_seen,
};

use crate::{
    App, instances,
    own::{self, OwnProfile},
    supervisor::Live,
};

mod leaving;

pub struct Connections<'a> {
    pub(crate) app: &'a App,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QrAnswer {
    /// The text to draw; the next one replaces it after `expires_in_ms`.
    Waiting { code: String, expires_in_ms: i64 },
    Paired {
        phone: Option<String>,
        state: ConnectionState,
    },
}

/// `connected` means that WhatsApp knows this device, not that a socket is open; `state` tells that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionStatus {
    pub connected: bool,
    pub state: ConnectionState,
    pub reason: Option<StateReason>,
    pub phone: Option<String>,
    pub jid: Option<Address>,
    pub push_name: Option<String>,
    pub business_name: Option<String>,
    /// As WhatsApp told it of late; `None` where it has not yet.
    pub profile: Option<OwnProfile>,
    /// What the phone does that is not heard of, and since when.
    pub troubles: Vec<(SyncTrouble, Timestamp)>,
}

/// How long a caller waits for WhatsApp's first QR code.
const QR_WAIT_MS: i64 = 20_000;
const LABEL_MAX: usize = 50;

impl Connections<'_> {
    /// Starts the connection when it is not there, and waits for a code.
    pub async fn qr(&self, granted: &Granted) -> Result<QrAnswer> {
        let (account, instance) = (granted.account(), granted.instance());
        self.app.billing().require(instance)?;
        let supervisor = &self.app.supervisor;
        if instance.paired {
            if !instance.wanted {
                let mut conn = self.app.core.store.write().await?;
                conn.account(account)
                    .set_wanted(&instance.id, true, self.app.core.clock.now())
                    .await?;
                conn.commit().await?;
            }
            supervisor.ensure(account, &instance.id)?;
            return Ok(QrAnswer::Paired {
                phone: instance.phone.clone(),
                state: instance.state,
            });
        }
        supervisor.require_here(&instance.id).await?;
        let mut live = supervisor.ensure(account, &instance.id)?;
        let clock = &self.app.core.clock;
        let shown = |live: &Live| live.qr.as_ref().is_some_and(|qr| qr.until > clock.now());
        let found = live.wait_for(|live| shown(live) || live.paired || live.over.is_some());
        let live = tokio::select! {
            found = found => found.map(|live| live.clone()).unwrap_or_default(),
            () = self.app.core.clock.sleep_ms(QR_WAIT_MS) => Live::default(),
        };
        let now = self.app.core.clock.now();
        match live {
            Live {
                paired: true,
                phone,
                state,
                ..
            } => Ok(QrAnswer::Paired { phone, state }),
            Live { qr: Some(qr), .. } => Ok(QrAnswer::Waiting {
                code: qr.code,
                expires_in_ms: qr.until.since(now).max(0),
            }),
            // Started by nobody (a race with its end, or another process): asking again helps.
            Live {
                over: Some(reason), ..
            } if reason != StateReason::Starting => Err(Error::new(
                ErrorCode::EngineUnavailable,
                format!("WhatsApp gave no QR code. {}", reason.what_to_do()),
            )),
            _ => Err(Error::new(
                ErrorCode::EngineUnavailable,
                "WhatsApp gave no QR code in time. Ask again in a moment.",
            )
            .with_retry_after(5)),
        }
    }

    /// A code to type on the phone instead of scanning; the same one for as long as it lives.
    pub async fn pair_code(&self, granted: &Granted, phone: &PhoneNumber) -> Result<LinkingCode> {
        let instance = granted.instance();
        self.app.billing().require(instance)?;
        if instance.paired {
            return Err(already_connected(instance));
        }
        self.app
            .supervisor
            .pair_code(granted.account(), &instance.id, phone)
            .await
    }

    pub async fn status(&self, granted: &Granted) -> Result<ConnectionStatus> {
        let instance = granted.instance();
        let profile = match instance.paired {
            true => own::shown(self.app, granted).await,
            false => None,
        };
        let troubles = match instance.troubled {
            true => self.troubles(granted).await?,
            false => Vec::new(),
        };
        Ok(ConnectionStatus {
            profile,
            troubles,
            connected: instance.paired,
            state: instance.state,
            reason: instance.reason,
            phone: instance.phone.clone(),
            jid: instance.jid.clone(),
            push_name: instance.push_name.clone(),
            business_name: instance.business_name.clone(),
        })
    }

    async fn troubles(&self, granted: &Granted) -> Result<Vec<(SyncTrouble, Timestamp)>> {
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        Ok(store.sync_troubles(granted.id()).await?)
    }

    /// Closes the socket and keeps the pairing; the next QR request opens it again. `false`: there is no
    /// pairing to keep.
    pub async fn disconnect(&self, granted: &Granted) -> Result<bool> {
        self.app
            .supervisor
            .disconnect(granted.account(), granted.id())
            .await
    }

    /// MCP's `connect_whatsapp`: an unpaired instance to show a QR for; an idle one is used again
    /// unless `force_new`.
    pub async fn connect_new<C: Calls + Clone>(
        &self,
        by: &C,
        label: Option<String>,
        force_new: bool,
    ) -> Result<Granted<C>> {
        let label = label
            .map(|label| label.trim().to_owned())
            .filter(|label| !label.is_empty());
        if label
            .as_ref()
            .is_some_and(|label| label.chars().count() > LABEL_MAX)
        {
            return Err(Error::field("label", "label has at most 50 characters"));
        }
        require_seen("label", label.as_deref().unwrap_or_default())?;
        if !force_new {
            let all = self.app.instances().all(by).await?;
            // A label asks for that number, not for whichever happens to be idle.
            let fits = |name: &str| label.as_deref().is_none_or(|label| label == name);
            let idle = all.into_iter().filter(|granted| {
                let instance = granted.instance();
                !instance.paired && instance.origin != Origin::Direct && fits(&instance.name)
            });
            // The first, but one that is paid for when there is one.
            let idle = idle.min_by_key(|granted| {
                let paid = self.app.billing().require(granted.instance());
                paid.is_err()
            });
            if let Some(idle) = idle {
                return Ok(idle);
            }
        }
        require_unrestricted(by)?;
        let mut conn = self.app.core.store.write().await?;
        let account = &by.caller().account;
        let number = conn.account(account).count_instances().await? + 1;
        let new = NewInstance {
            name: label.unwrap_or_else(|| format!("WhatsApp {number}")),
            ..Default::default()
        };
        let (instance, _) =
            instances::insert(self.app, &mut conn, by.caller(), Origin::Mcp, &new).await?;
        conn.commit().await?;
        Granted::new(by.clone(), instance)
    }
}

pub(crate) fn already_connected(instance: &Instance) -> Error {
    let phone = instance.phone.as_deref().unwrap_or("a phone");
    Error::new(
        ErrorCode::AlreadyConnected,
        format!(
            "The instance is connected already, as {phone}. To link another phone, remove this device on the phone first, or delete the instance."
        ),
    )
}
