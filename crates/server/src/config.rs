//! Settings: the commented `default.toml` below, then the operator's file, then the environment.

pub mod environment;
mod file;
mod logs;
mod media;
mod names;
mod networks;
mod people;
mod sections;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use figment::{
    Figment,
    error::Kind,
    providers::{Format, Toml},
};
use ipnet::IpNet;
use recado_api::edge::Cors;
use recado_app::{
    BillingConfig, Guests, billing::ProviderKind, config::WebhookConfig, egress::tls,
};
use recado_engine::wa::{Network, WaTimers};
use recado_identity::{limits::Quotas, mail::MailConfig};
use recado_model::{Rng, Secret, id::random_base32};
use recado_store::{Database, MasterKey};
use serde::Deserialize;

use environment::Environment;
pub use logs::log_filter;
use names::nearest;
pub use names::{names, variable};
use networks::networks;
use people::secret_or_file;
use sections::*;
pub use sections::{LimitSettings, LogFormat};

/// The documentation of every setting is this file.
pub const DEFAULT: &str = include_str!("default.toml");

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub data_dir: PathBuf,
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    #[serde(deserialize_with = "text")]
    metrics_listen: String,
    #[serde(deserialize_with = "text")]
    public_url: String,
    #[serde(deserialize_with = "secret")]
    database_url: Secret,
    #[serde(default, deserialize_with = "some_path")]
    database_url_file: Option<PathBuf>,
    trusted_proxies: TextOrList,
    #[serde(default, deserialize_with = "some_secret")]
    pub master_key: Option<Secret>,
    #[serde(default, deserialize_with = "some_path")]
    pub master_key_file: Option<PathBuf>,
    #[serde(deserialize_with = "text")]
    node: String,
    #[serde(deserialize_with = "text")]
    pub device_name: String,
    pub log: String,
    pub log_format: LogFormat,
    pub source_url: String,
    pub limits: LimitSettings,
    cors: CorsSettings,
    jwt: Jwt,
    direct: Direct,
    send: Send,
    engine: Engine,
    start: Start,
    webhooks: Webhooks,
    egress: EgressSettings,
    media: MediaSettings,
    billing: Billing,
    audit: Audit,
    users: Users,
    mail: Mail,
    turnstile: Turnstile,
    sandbox: Sandbox,
    /// Notes for the operator about where the settings came from.
    #[serde(skip)]
    pub note: Option<String>,
}

/// Figment lists all names that it knows; the nearest is what helps.
fn refused(error: figment::Error) -> anyhow::Error {
    let Kind::UnknownField(name, _) = &error.kind else {
        return anyhow!("configuration: {error}");
    };
    let place = error
        .metadata
        .as_ref()
        .and_then(|from| from.source.as_ref());
    let place = place.map_or(String::new(), |place| format!("{place}: "));
    let section = error.path.iter().filter(|part| *part != name);
    let full: Vec<&str> = section.chain([name]).map(String::as_str).collect();
    let full = full.join(".");
    let nearest = nearest(&full);
    anyhow!(
        "configuration: {place}{full} is not a setting; the nearest is {nearest}. `recado config default` prints all"
    )
}

impl Settings {
    /// Reads and checks; every error says which setting and what to do. `file` is the one that the
    /// command line names; otherwise RECADO_CONFIG does.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        let environment = Environment::read(std::env::vars_os())?;
        let note = environment.note();
        let mut figment = Figment::from(Toml::string(DEFAULT));
        if let Some(file) = file.or(environment.config.as_deref()) {
            file::check(file)?;
            figment = figment.merge(Toml::file_exact(file));
        }
        let mut settings = Self::extract(figment.merge(environment))?;
        settings.note = note;
        Ok(settings)
    }

    /// The defaults and `text` over them, whatever the environment says: for tests, which bring their
    /// whole world.
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::extract(Figment::from(Toml::string(DEFAULT)).merge(Toml::string(text)))
    }

    fn extract(figment: Figment) -> Result<Self> {
        let settings: Self = figment.extract().map_err(refused)?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<()> {
        let url = self.public_url();
        if self.public_url.is_empty() {
            ensure!(
                self.listen.ip().is_loopback(),
                "public_url is required because listen ({}) is not a loopback address: set it to what callers type, for example https://wa.example.com",
                self.listen
            );
        } else {
            // It may hold a password: it is never shown.
            ensure!(
                is_public_url(&url),
                "public_url must be a complete address such as https://wa.example.com: http:// or https://, a host, and a port or path if need be; without user name, password, query or fragment"
            );
            ensure!(
                recado_api::routes::is_free(recado_api::below::path_of(&url)),
                "public_url has a path that begins like the program's own addresses (such as /dashboard or /instances), so that nobody could tell the two apart: choose another path. The dashboard is at <public_url>/dashboard"
            );
        }
        ensure!(
            (61..=86_400).contains(&self.jwt.ttl_secs),
            "jwt.ttl_secs must be from 61 to 86400: clients renew a minute early"
        );
        ensure!(
            (1..=120_000).contains(&self.webhooks.timeout_ms),
            "webhooks.timeout_ms must be from 1 to 120000"
        );
        ensure!(
            (1..=1024).contains(&self.webhooks.concurrency),
            "webhooks.concurrency must be from 1 to 1024"
        );
        self.check_patience()?;
        ensure!(
            (1024..=64 << 20).contains(&self.limits.body_bytes),
            "limits.body_bytes must be from 1024 to 67108864"
        );
        ensure!(
            (1..=3600).contains(&self.limits.request_secs),
            "limits.request_secs must be from 1 to 3600"
        );
        ensure!(
            (1..=1_000_000).contains(&self.limits.connections),
            "limits.connections must be from 1 to 1000000"
        );
        for (name, quota) in [
            ("network", self.limits.failed_proofs_per_network),
            ("client", self.limits.failed_proofs_per_client),
        ] {
            ensure!(
                (1..=1_000_000).contains(&quota),
                "limits.failed_proofs_per_{name} must be from 1 to 1000000: so many may fail in a minute, and one that holds always passes"
            );
        }
        log_filter(&self.log)?;
        if let Some(key) = &self.master_key {
            MasterKey::parse(key.expose()).with_context(|| self.key_source())?;
        }
        if self.sandbox_url().is_some() {
            // Without an address it is `serve` that asks: all other commands need no network.
            self.check_network()?;
        }
        self.database()?;
        self.metrics_listen()?;
        ensure!(
            self.direct.max_guests >= 0 && self.direct.max_guests_per_network >= 0,
            "direct.max_guests and direct.max_guests_per_network must not be negative; to refuse guests, set direct.guests = \"off\""
        );
        self.guests()?;
        ensure!(
            (1..=36_500).contains(&self.audit.retention_days),
            "audit.retention_days must be from 1 to 36500"
        );
        self.billing()?;
        self.media()?;
        self.users(&url)?;
        self.egress_allow()?;
        self.egress_ca_file()?;
        self.trusted_proxies()?;
        self.cors()?;
        Ok(())
    }

    /// Pace, time-outs and pauses of sends and links.
    fn check_patience(&self) -> Result<()> {
        ensure!(
            self.send.min_interval_ms >= 0 && self.start.stagger_ms >= 0,
            "intervals must not be negative"
        );
        ensure!(
            self.send.ack_timeout_ms >= 100 && self.send.timeout_ms >= 1000,
            "send.ack_timeout_ms must be at least 100, send.timeout_ms at least 1000"
        );
        ensure!(
            self.send.renew_interval_ms >= 0,
            "send.renew_interval_ms must not be negative"
        );
        ensure!(
            self.engine.silence_ms >= 100
                && self.engine.probe_ms >= 100
                && self.engine.stale_ms >= 1000,
            "engine.silence_ms and engine.probe_ms must be at least 100, engine.stale_ms at least 1000"
        );
        Ok(())
    }

    /// Without a trailing slash. On loopback it defaults to the listener itself.
    pub fn public_url(&self) -> String {
        self.public_url_on(self.listen)
    }

    /// The same, where the listener is bound to `address`: port 0 of `listen` stands for any.
    pub fn public_url_on(&self, address: SocketAddr) -> String {
        match self.public_url.trim_end_matches('/') {
            "" => format!("http://{address}"),
            url => url.to_owned(),
        }
    }

    pub fn metrics_listen(&self) -> Result<Option<SocketAddr>> {
        match self.metrics_listen.as_str() {
            "" | "off" => Ok(None),
            text => text.parse().map(Some).with_context(|| {
                format!("metrics_listen must be address:port or off, not {text:?}")
            }),
        }
    }

    pub fn database(&self) -> Result<Database> {
        let (text, file) = (&self.database_url, &self.database_url_file);
        let url = secret_or_file("database_url", text, file.as_deref())?;
        if url.expose().is_empty() {
            return Ok(Database::Sqlite {
                path: self.data_dir.join("recado.db"),
            });
        }
        let name = file
            .as_ref()
            .map_or("database_url", |_| "database_url_file");
        Database::parse(url.expose()).map_err(|why| anyhow!("{name}: {why}"))
    }

    pub fn key_file(&self) -> PathBuf {
        self.master_key_file
            .clone()
            .unwrap_or_else(|| self.data_dir.join("master.key"))
    }

    /// Where the master key comes from, for errors.
    pub fn key_source(&self) -> String {
        if self.master_key.is_some() {
            "the setting master_key (RECADO_MASTER_KEY)".to_owned()
        } else {
            format!("the master key file {}", self.key_file().display())
        }
    }

    /// The network of the sandbox, when one is asked for.
    pub fn sandbox_url(&self) -> Option<&str> {
        Some(self.sandbox.url.as_str()).filter(|url| !url.is_empty())
    }

    /// Where the same sandbox makes phones: its network and its control are one listener.
    pub fn sandbox_control(&self) -> Option<String> {
        let url = self.sandbox_url()?.strip_prefix("ws://")?;
        let host = url.split('/').next()?;
        Some(format!("http://{host}"))
    }

    /// The network that the engine connects to.
    /// How patient links are.
    pub fn timers(&self) -> WaTimers {
        WaTimers {
            silence_ms: self.engine.silence_ms,
            probe_ms: self.engine.probe_ms,
            stale_ms: self.engine.stale_ms,
            ..WaTimers::default()
        }
    }

    pub fn network(&self) -> Network {
        match self.sandbox_url() {
            Some(url) => Network::Sandbox {
                url: url.to_owned(),
            },
            None => Network::WhatsApp,
        }
    }

    /// Whether this program may connect to it, before anything is made for it.
    pub fn check_network(&self) -> Result<()> {
        recado_engine::wa::check(&self.network())
            .map_err(|why| anyhow!("sandbox.url: {}", why.message))
    }

    /// The callers that may open a guest session.
    pub fn guests(&self) -> Result<Guests> {
        Ok(match self.direct.guests.as_str() {
            "off" => Guests::Off,
            "pair" => Guests::Pair,
            "full" => Guests::Full,
            other => bail!("direct.guests must be off, pair or full, not {other:?}"),
        })
    }

    /// The provider that takes money for instances, if there is one.
    pub fn billing(&self) -> Result<BillingConfig> {
        let provider = match self.billing.provider.as_str() {
            "off" => ProviderKind::Off,
            "manual" => ProviderKind::Manual,
            other => bail!("billing.provider must be off or manual, not {other:?}"),
        };
        ensure!(
            (0..=3650).contains(&self.billing.trial_days),
            "billing.trial_days must be from 0 (no trial) to 3650"
        );
        Ok(BillingConfig {
            provider,
            trial_ms: self.billing.trial_days * 24 * 3600 * 1000,
        })
    }

    /// Networks that webhooks may reach though they are not public.
    pub fn egress_allow(&self) -> Result<Vec<IpNet>> {
        networks("egress.allow", &self.egress.allow)
    }

    /// Authorities of webhook receivers besides the machine's; a file that holds some.
    pub fn egress_ca_file(&self) -> Result<Option<PathBuf>> {
        let file = self.egress.ca_file.clone();
        let Some(file) = file.filter(|file| !file.as_os_str().is_empty()) else {
            return Ok(None);
        };
        match tls::authorities(&file) {
            Ok(_) => Ok(Some(file)),
            Err(why) => bail!("egress.ca_file: {why}"),
        }
    }

    /// Peers whose `X-Forwarded-For` is believed.
    pub fn trusted_proxies(&self) -> Result<Vec<IpNet>> {
        networks("trusted_proxies", &self.trusted_proxies)
    }

    /// The origins of [`Settings::cors`] as they are written.
    pub fn cors_origins(&self) -> Vec<&str> {
        self.cors.origins.parts()
    }

    /// Web pages of other origins that may read answers.
    pub fn cors(&self) -> Result<Cors> {
        Cors::new(self.cors.origins.parts()).map_err(|why| anyhow!("cors.origins: {why}"))
    }

    /// The part of the settings that the services need. `public_url` is given apart: a listener on port 0 knows
    /// its port only once it is bound.
    pub fn app_config(&self, public_url: String, rng: &dyn Rng) -> Result<recado_app::Config> {
        let node = match (self.node.as_str(), self.database()?) {
            ("", Database::Sqlite { .. }) => "main".to_owned(),
            ("", Database::Postgres { .. }) => format!("node-{}", &random_base32(rng)[..10]),
            (name, _) => name.to_owned(),
        };
        Ok(recado_app::Config {
            users: self.users(&public_url)?,
            public_url,
            node,
            device_name: self.device_name.clone(),
            jwt_ttl_secs: self.jwt.ttl_secs,
            failed_proofs: Quotas {
                per_network: self.limits.failed_proofs_per_network,
                per_client: self.limits.failed_proofs_per_client,
                per_login: self.limits.failed_logins_per_user,
            },
            guests: self.guests()?,
            max_guests: self.direct.max_guests,
            max_guests_per_network: self.direct.max_guests_per_network,
            send_interval_ms: self.send.min_interval_ms,
            ack_timeout_ms: self.send.ack_timeout_ms,
            send_timeout_ms: self.send.timeout_ms,
            renew_interval_ms: self.send.renew_interval_ms,
            start_stagger_ms: self.start.stagger_ms,
            webhooks: WebhookConfig {
                timeout_ms: self.webhooks.timeout_ms,
                concurrency: self.webhooks.concurrency,
            },
            billing: self.billing()?,
            media: self.media()?,
            egress_allow: self.egress_allow()?,
            egress_ca_file: self.egress_ca_file()?,
            audit_retention_days: self.audit.retention_days,
            ..recado_app::Config::default()
        })
    }

    /// The settings in effect, for people: secrets only as set or not set.
    pub fn describe(&self) -> Result<String> {
        let database = match self.database()? {
            Database::Sqlite { path } => format!("SQLite at {}", path.display()),
            Database::Postgres { .. } => {
                "PostgreSQL (address not shown: it holds a password)".to_owned()
            }
        };
        let key = if self.master_key.is_some() {
            "from the setting master_key".to_owned()
        } else {
            self.key_file().display().to_string()
        };
        let metrics = self
            .metrics_listen()?
            .map_or("off".to_owned(), |addr| addr.to_string());
        let users = self.users(&self.public_url())?;
        let mail = match &users.mail {
            MailConfig::Smtp { from, .. } => format!("SMTP, from {from} (address not shown)"),
            MailConfig::Files { dir } => format!("files in {}", dir.display()),
        };
        let turnstile = match &users.turnstile {
            Some(check) => format!("on {} ({})", check.hostname, check.url),
            None => "off".to_owned(),
        };
        Ok(format!(
            "listen           {}\npublic_url       {}\nmetrics_listen   {metrics}\ntrusted_proxies  {:?}\ncors.origins     {:?}\ndata_dir         {}\ndatabase         {database}\nmaster key       {key}\ndirect.guests    {}\nusers.signup     {}\nmail             {mail}\nturnstile        {turnstile}\negress.allow     {:?}\negress.ca_file   {}\nsandbox.url      {}\n",
            self.listen,
            self.public_url(),
            self.trusted_proxies()?,
            self.cors.origins.parts(),
            self.data_dir.display(),
            self.direct.guests,
            users.signup.as_str(),
            self.egress_allow()?,
            self.egress_ca_file()?
                .map_or("none".to_owned(), |file| file.display().to_string()),
            self.sandbox_url().unwrap_or("none"),
        ))
    }
}
