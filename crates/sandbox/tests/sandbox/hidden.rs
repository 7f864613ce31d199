//! Who is spoken to by hidden id is told of it by hidden id, with the number beside it.

use wacore::types::events::Event;
use wacore::types::presence::ReceiptType;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::support::{Device, sandbox};

const ANA: &str = "5511999990001";
const BRUNO: &str = "5511999990002";

/// A message that nobody can read; the network looks at its outside alone.
fn sealed(id: &str, to: &Jid, device: Jid) -> Node {
    let enc = NodeBuilder::new("enc")
        .attr("v", "2")
        .attr("type", "msg")
        .bytes(vec![7; 64])
        .build();
    let body = NodeBuilder::new("to")
        .attr("jid", device)
        .children([enc])
        .build();
    let bodies = NodeBuilder::new("participants").children([body]).build();
    NodeBuilder::new("message")
        .attr("to", to)
        .attr("id", id)
        .attr("type", "text")
        .children([bodies])
        .build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_has_the_form_of_the_question() {
    let sandbox = sandbox().await;
    let network = sandbox.network();
    network.add_phone(ANA, "Ana").expect("a phone");
    network.add_phone(BRUNO, "Bruno").expect("a phone");
    let mut ana = Device::paired(&sandbox, ANA).await;
    let mut bruno = Device::paired(&sandbox, BRUNO).await;
    let hidden = |device: &Device| device.client.lid().expect("it knows its own").to_non_ad();
    let (her, his) = (hidden(&ana), hidden(&bruno));

    for (id, to, from, alt) in [
        ("BY-HIDDEN-ID", &his, &her, Jid::pn(ANA)),
        ("BY-NUMBER", &Jid::pn(BRUNO), &Jid::pn(ANA), her.clone()),
    ] {
        let device = Jid {
            device: 1,
            ..to.clone()
        };
        let stanza = sealed(id, to, device);
        ana.client.send_node(stanza).await.expect("it goes out");
        let info = bruno
            .expect(id, |event| match event {
                Event::UndecryptableMessage(message) if message.info.id == id => {
                    Some(message.info.clone())
                }
                _ => None,
            })
            .await;
        assert_eq!(info.source.chat.to_non_ad(), *from, "{id}");
        let other = info.source.sender_alt.as_ref().map(Jid::to_non_ad);
        assert_eq!(other, Some(alt), "{id}");
        bruno
            .client
            .mark_as_read(from, None, &[id])
            .await
            .expect("it says so");
        let reader = ana
            .expect("the receipt", |event| match event {
                Event::Receipt(receipt)
                    if receipt.r#type == ReceiptType::Read
                        && receipt.message_ids.iter().any(|read| read == id) =>
                {
                    Some(receipt.source.chat.to_non_ad())
                }
                _ => None,
            })
            .await;
        assert_eq!(reader, *to, "{id}");
    }

    let chats = bruno.client.chatstate();
    chats.send_composing(&her).await.expect("it says so");
    let typing = ana
        .expect("typing", |event| match event {
            Event::ChatPresence(presence) => Some(presence.source.chat.to_non_ad()),
            _ => None,
        })
        .await;
    assert_eq!(typing, his);
    sandbox.stop().await;
}
