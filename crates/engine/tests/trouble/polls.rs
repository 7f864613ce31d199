//! A poll that is sent again: what a vote needs is in the stored message.

use recado_model::{
    clock::OsRng,
    message::{FinishedMessage, MessageId},
};
use sha2::{Digest as _, Sha256};
use whatsapp_rust::{
    wacore::{
        poll::{
            compute_option_hash, decrypt_poll_vote, derive_vote_encryption_key,
            encrypt_poll_vote_with_secret,
        },
        reporting_token::REPORTING_TOKEN_VERSION,
    },
    waproto::{
        buffa::{Message as _, MessageField},
        whatsapp as wa,
    },
};

use crate::support::{ANA, BIA, Kind, Lab, QUICK, address};

fn stored_poll(name: &str, options: &[&str], secret: [u8; 32]) -> FinishedMessage {
    let options = options
        .iter()
        .map(|option| wa::message::poll_creation_message::Option {
            option_name: Some((*option).to_owned()),
            ..Default::default()
        });
    let poll = wa::message::PollCreationMessage {
        name: Some(name.to_owned()),
        options: options.collect(),
        selectable_options_count: Some(1),
        poll_content_type: Some(wa::message::PollContentType::TEXT),
        ..Default::default()
    };
    let message = wa::Message {
        poll_creation_message_v3: MessageField::some(poll),
        message_context_info: MessageField::some(wa::MessageContextInfo {
            message_secret: Some(secret.to_vec()),
            reporting_token_version: Some(REPORTING_TOKEN_VERSION),
            ..Default::default()
        }),
        ..Default::default()
    };
    FinishedMessage {
        id: MessageId::random(&OsRng),
        to: address(BIA),
        proto: message.encode_to_vec(),
        refresh_group: false,
    }
}

/// The engine writes the context behind all else.
fn on_the_wire(message: &wa::Message) -> Vec<u8> {
    let mut content = message.clone();
    let context = wa::Message {
        message_context_info: std::mem::take(&mut content.message_context_info),
        ..Default::default()
    };
    [content.encode_to_vec(), context.encode_to_vec()].concat()
}

/// The engine mints a new secret for each send that brings none; a vote is encrypted with the poll's, and
/// whoever counts it must still have it.
#[tokio::test(flavor = "multi_thread")]
async fn a_poll_sent_again_by_a_new_client_lets_votes_be_decrypted() {
    const SECRET: [u8; 32] = [7; 32];
    let lab = Lab::with(Kind::Sqlite, QUICK).await;
    let (_, link, sink) = lab.paired().await;
    let poll = stored_poll("Lunch?", &["Rice", "Beans"], SECRET);
    link.send(&poll).await.expect("sent");
    let first = lab.phone_has(BIA, &poll.id, 1).await;
    link.renew(&[]).await;
    sink.offline().await;
    sink.online().await;
    link.send(&poll).await.expect("sent again");
    let again = lab.phone_has(BIA, &poll.id, 2).await;
    assert_eq!((again.kind.as_str(), again.same), ("poll", true));
    assert_eq!(again.sha256, first.sha256);
    // What the phone has is what is stored, so its vote is made with the secret that is stored.
    let mut stored = wa::Message::decode_from_slice(&poll.proto).expect("a message");
    assert_eq!(
        first.sha256,
        Some(hex::encode(Sha256::digest(on_the_wire(&stored))))
    );
    let secret = stored
        .message_context_info
        .take()
        .and_then(|info| info.message_secret);
    let choice = vec![compute_option_hash("Beans").to_vec()];
    let (ana, bia) = (address(ANA), address(BIA));
    let (vote, iv) = encrypt_poll_vote_with_secret(
        &choice,
        &SECRET,
        poll.id.as_str(),
        ana.as_str(),
        bia.as_str(),
    )
    .expect("a vote");
    let key = derive_vote_encryption_key(
        &secret.expect("a secret"),
        poll.id.as_str(),
        ana.as_str(),
        bia.as_str(),
    )
    .expect("a key");
    let counted = decrypt_poll_vote(&vote, &iv, &key, poll.id.as_str(), bia.as_str());
    assert_eq!(counted.expect("decrypted"), choice);
    link.stop().await;
    lab.close().await;
}
