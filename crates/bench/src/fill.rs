//! Accounts with many chats and messages, written through the store as the gateway writes what comes in.

use std::{path::Path, str::FromStr};

use anyhow::{Context, Result, anyhow};
use recado_model::{
    AccountId, Address, InstanceId, MessageId, Timestamp,
    clock::OsRng,
    content::ContentKind,
    instance::{NewInstance, Origin},
    message::{Arrival, InboundMessage, Party, Rendered},
};
use recado_store::Store;

/// How much an account has.
#[derive(Clone, Copy)]
pub struct Size {
    chats: u32,
    /// In each chat.
    messages: u32,
}

impl FromStr for Size {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (chats, messages) = text
            .split_once('x')
            .ok_or_else(|| anyhow!("`chats x messages of each`, as in 200x1"))?;
        Ok(Self {
            chats: chats.parse()?,
            messages: messages.parse()?,
        })
    }
}

/// What was written into an account.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Filled {
    pub instance: String,
    /// The number of one of the chats.
    pub chat: String,
    /// By how much the database's file has grown.
    pub bytes: u64,
}

/// Messages of one transaction.
const BATCH: usize = 1_000;
/// Eighty letters, as people write.
const TEXT: &str =
    "Bom dia! O pedido chegou inteiro, muito obrigada. Volto a comprar na outra semana.";
/// The first message's time: Unix time in milliseconds.
const BEGIN: i64 = 1_700_000_000_000;

pub async fn fill(store: &Store, account: &AccountId, size: Size, data: &Path) -> Result<Filled> {
    eprintln!("{} chats of {} messages …", size.chats, size.messages);
    let before = bytes(data)?;
    let instance = instance(store, account).await?;
    // By turns, as messages come: those of a chat lie far apart.
    let total = u64::from(size.chats) * u64::from(size.messages);
    let mut numbers = 0..total;
    loop {
        let batch: Vec<u64> = numbers.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        let mut conn = store.write().await?;
        for number in batch {
            let message = message(&instance, number, size.chats);
            let mut account = conn.account(account);
            account.record_inbound(&message, message.at).await?;
        }
        conn.commit().await?;
    }
    Ok(Filled {
        instance: instance.as_str().to_owned(),
        chat: number(0),
        bytes: bytes(data)?.saturating_sub(before),
    })
}

async fn instance(store: &Store, account: &AccountId) -> Result<InstanceId> {
    let id = InstanceId::random(&OsRng);
    let mut conn = store.write().await?;
    conn.account(account)
        .create_instance(&id, Origin::Api, &NewInstance::default(), Timestamp(BEGIN))
        .await?;
    conn.commit().await?;
    Ok(id)
}

/// The number of a chat's person.
fn number(chat: u64) -> String {
    format!("5511{:09}", 900_000_000 + chat)
}

fn message(instance: &InstanceId, number_of: u64, chats: u32) -> InboundMessage {
    let who = number(number_of % u64::from(chats));
    let party = Party::only(Address::from_wire(format!("{who}@s.whatsapp.net")));
    InboundMessage {
        instance: instance.clone(),
        id: MessageId::from_wire(format!("3EB0{number_of:016X}")),
        chat: party.clone(),
        sender: party,
        from_me: false,
        push_name: Some("Ana Maria".into()),
        kind: ContentKind::Text,
        text: Some(TEXT.into()),
        tap: None,
        timer: None,
        about: None,
        at: Timestamp(BEGIN).plus_millis(number_of.cast_signed() * 1_000),
        // A text's own bytes, with the secret that each message has.
        proto: [TEXT.as_bytes(), &[7; 48]].concat(),
        rendered: Rendered::default(),
        arrival: Arrival::default(),
    }
}

/// Of the database's file; what its log holds is there soon.
fn bytes(data: &Path) -> Result<u64> {
    let files =
        std::fs::read_dir(data).with_context(|| format!("cannot read {}", data.display()))?;
    let mut total = 0;
    for file in files {
        let file = file?;
        if file.file_name().to_string_lossy().ends_with(".db") {
            total += file.metadata()?.len();
        }
    }
    Ok(total)
}
