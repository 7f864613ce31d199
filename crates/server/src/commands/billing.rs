//! `recado billing`

use std::sync::Arc;

use anyhow::Result;
use recado_app::{
    BillingConfig,
    billing::{
        ProviderKind,
        operator::{self, BillingRow, Period},
    },
};
use recado_identity::clock::SystemClock;
use recado_model::{Billing, Clock, Error, InstanceId, Rng, Timestamp, clock::OsRng};
use recado_store::Store;
use serde_json::{Value, json};

use super::printable;
use crate::{cli::BillingCommand, config::Settings, lifecycle::open_store};

pub async fn run(settings: &Settings, command: BillingCommand) -> Result<()> {
    let rng: Arc<dyn Rng> = Arc::new(OsRng);
    let store = open_store(settings, &rng, true, false).await?;
    let done = act(&store, &SystemClock, &settings.billing()?, command).await;
    store.close().await;
    print!("{}", done?);
    Ok(())
}

/// Does it, and answers what to print.
pub async fn act(
    store: &Store,
    clock: &dyn Clock,
    config: &BillingConfig,
    command: BillingCommand,
) -> Result<String> {
    Ok(match command {
        BillingCommand::List { json } => {
            let rows = operator::list(store, clock, config).await?;
            match json {
                true => format!("{}\n", Value::from_iter(rows.iter().map(row_json))),
                false => table(&rows, config),
            }
        }
        BillingCommand::Grant {
            instance,
            days,
            until,
            json,
        } => {
            let period = match (days, until) {
                (Some(days), _) => Period::Days(days),
                (None, Some(text)) => Period::Until(time(&text)?),
                (None, None) => {
                    return Err(Error::field("days", "say how long: --days or --until").into());
                }
            };
            let instance = InstanceId::from_text(instance);
            let billing = operator::grant(store, clock, &instance, period).await?;
            changed(&instance, "is paid for until", &billing, config, json)
        }
        BillingCommand::End { instance, json } => {
            let instance = InstanceId::from_text(instance);
            let billing = operator::end(store, clock, &instance).await?;
            changed(&instance, "ended at", &billing, config, json)
        }
    })
}

fn time(text: &str) -> Result<Timestamp> {
    Ok(Timestamp::parse_rfc3339(text)
        .filter(|at| *at <= Billing::FOR_EVER)
        .ok_or_else(|| Error::field("until", "--until is a time such as 2030-01-31T12:00:00Z"))?)
}

fn shown(at: Option<Timestamp>) -> Option<String> {
    at.map(Timestamp::to_rfc3339)
}

fn row_json(row: &BillingRow) -> Value {
    json!({
        "instance_id": row.instance,
        "name": row.name,
        "phone": row.phone,
        "account_id": row.account,
        "account_name": row.account_name,
        "billing_status": row.standing.status.as_str(),
        "awaits_payment": row.awaits_payment,
        "subscription_id": row.billing.subscription_id,
        "trial_until": shown(row.billing.trial_until),
        "paid_until": shown(row.billing.paid_until),
        "cancel_at": shown(row.billing.cancel_at),
    })
}

fn table(rows: &[BillingRow], config: &BillingConfig) -> String {
    let mut text = String::new();
    for row in rows {
        let end = shown(row.billing.ends_at()).unwrap_or_else(|| "-".to_owned());
        let mut notes = Vec::new();
        if row.awaits_payment {
            notes.push("its owner waits for a period");
        }
        if row.standing.cancel_at.is_some() {
            notes.push("canceled by its owner");
        }
        let line = format!(
            "{}  {:<8}  {end:<24}  {:<24}  {}  {}",
            row.instance,
            row.standing.status.as_str(),
            printable(&row.name),
            printable(&row.account_name),
            notes.join(", ")
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text + note(config)
}

fn changed(
    instance: &InstanceId,
    what: &str,
    billing: &Billing,
    config: &BillingConfig,
    as_json: bool,
) -> String {
    let until = shown(billing.ends_at());
    match as_json {
        true => format!("{}\n", json!({ "instance_id": instance, "until": until })),
        false => format!(
            "{instance} {what} {}.\n{}",
            until.unwrap_or_default(),
            note(config)
        ),
    }
}

fn note(config: &BillingConfig) -> &'static str {
    match config.provider {
        ProviderKind::Off => {
            "Billing is off: all instances work. This counts once billing.provider is \"manual\".\n"
        }
        ProviderKind::Manual => "",
    }
}
