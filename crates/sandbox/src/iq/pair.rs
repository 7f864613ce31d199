//! The server's side of pairing: the lobby of clients that nobody has linked yet.

use std::collections::BTreeSet;
use std::time::Duration;

use buffa::Message as _;
use tokio::sync::oneshot;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use waproto::whatsapp::DeviceProps;
use waproto::whatsapp::client_payload::DevicePairingRegistrationData;

use crate::ambient;
use crate::blob::Blob;
use crate::core::{
    Candidate, Core, LinkCode, Lobby, Out, Proposal, Sender, child_bytes, iq_error, jid, result,
    text,
};
use crate::phone::pair::Invitation;
use crate::state::{Addr, Companion, SignedPreKey};

/// How many QR codes the server hands out; the client shows the first for 60 s, the rest for 20 s.
const REFS: usize = 6;
/// The restart after pairing comes a moment later: at once, it would overtake the client's own
/// bookkeeping, which the real server's distance never allows.
const RESTART_DELAY: Duration = Duration::from_millis(100);

/// How much of the phone's past a client asks for.
fn wants_all(data: &DevicePairingRegistrationData) -> bool {
    let props = data.device_props.as_deref();
    let props = props.and_then(|props| DeviceProps::decode_from_slice(props).ok());
    props.is_some_and(|props| props.require_full_sync == Some(true))
}

impl Core {
    /// A client that is not paired yet came in.
    pub(crate) fn enter_lobby(
        &mut self,
        conn: u64,
        out: Sender,
        noise_public: &[u8],
        data: &DevicePairingRegistrationData,
    ) {
        let number = |bytes: &Option<Vec<u8>>| {
            bytes
                .as_deref()
                .unwrap_or_default()
                .iter()
                .fold(0u32, |value, byte| (value << 8) | u32::from(*byte))
        };
        let candidate = Candidate {
            noise_public: noise_public.to_vec(),
            identity_public: data.e_ident.clone().unwrap_or_default(),
            registration_id: number(&data.e_regid),
            signed_prekey: SignedPreKey {
                id: number(&data.e_skey_id),
                public: Blob(data.e_skey_val.clone().unwrap_or_default()),
                signature: Blob(data.e_skey_sig.clone().unwrap_or_default()),
            },
            wants_all: wants_all(data),
        };
        let refs: Vec<String> = (0..REFS)
            .map(|at| format!("2@{}{at}", hex::encode(ambient::bytes::<24>())))
            .collect();
        let children = refs
            .iter()
            .map(|reference| {
                NodeBuilder::new("ref")
                    .bytes(reference.as_bytes().to_vec())
                    .build()
            })
            .collect::<Vec<_>>();
        let iq = NodeBuilder::new("iq")
            .attr("from", wacore_binary::SERVER_JID)
            .attr("type", "set")
            .attr("xmlns", "md")
            .attr("id", ambient::stanza_id())
            .children([NodeBuilder::new("pair-device").children(children).build()])
            .build();
        Self::send_to_conn(&out, iq);
        self.lobby.insert(
            conn,
            Lobby {
                out,
                candidate,
                refs,
                opened_ms: ambient::now_ms(),
                proposal: None,
            },
        );
    }

    /// A stanza of a client in the lobby.
    pub(crate) fn lobby_stanza(&mut self, conn: u64, node: &Node) {
        if node.tag != "iq" {
            tracing::debug!(conn, tag = %node.tag, "ignored a stanza before log-in");
            return;
        }
        let id = text(node, "id");
        match text(node, "type").as_str() {
            "result" => self.pairing_answer(conn, &id, node),
            "error" => self.pairing_refused(conn, &id, node),
            _ => {
                let answer = match node.get_optional_child("link_code_companion_reg") {
                    Some(request) => match text(request, "stage").as_str() {
                        "companion_hello" => self.companion_hello(conn, &id, request),
                        "companion_finish" => self.companion_finish(conn, &id, request),
                        _ => iq_error(&id, 400, "bad-request"),
                    },
                    None if text(node, "xmlns") == "w:p" => result(&id, Vec::new()),
                    None => {
                        tracing::debug!(conn, xmlns = text(node, "xmlns"), "unknown IQ");
                        iq_error(&id, 501, "feature-not-implemented")
                    }
                };
                if let Some(lobby) = self.lobby.get(&conn) {
                    Self::send_to_conn(&lobby.out, answer);
                }
            }
        }
    }

    /// Sends a phone's invitation to the client. `done` hears how it ended.
    pub(crate) fn invite(
        &mut self,
        conn: u64,
        invitation: Invitation,
        done: oneshot::Sender<Result<Addr, String>>,
    ) {
        let lid = self.lid_jid(&invitation.addr);
        let phone = self.phones.get(&invitation.addr.number);
        let business = phone.and_then(|phone| phone.profile.business.as_ref());
        let business = business.map(|business| business.verified_name.clone());
        let Some(lobby) = self.lobby.get_mut(&conn) else {
            drop(done.send(Err("the client went away".to_owned())));
            return;
        };
        let iq = ambient::stanza_id();
        let mut device = NodeBuilder::new("device").attr("jid", invitation.addr.jid());
        if let Some(lid) = lid {
            device = device.attr("lid", lid);
        }
        let mut parts = vec![
            NodeBuilder::new("device-identity")
                .bytes(invitation.identity)
                .build(),
            device.build(),
            NodeBuilder::new("platform").attr("name", "android").build(),
        ];
        // Of a business its verified name.
        if let Some(name) = business {
            parts.push(NodeBuilder::new("biz").attr("name", name).build());
        }
        let success = NodeBuilder::new("pair-success").children(parts).build();
        let stanza = NodeBuilder::new("iq")
            .attr("from", wacore_binary::SERVER_JID)
            .attr("type", "set")
            .attr("xmlns", "md")
            .attr("id", iq.as_str())
            .attr("t", ambient::now_secs())
            .children([success])
            .build();
        Self::send_to_conn(&lobby.out, stanza);
        lobby.proposal = Some(Proposal {
            iq,
            addr: invitation.addr,
            key_index: invitation.key_index,
            done,
        });
    }

    /// The client signed: it is a companion from now on.
    fn pairing_answer(&mut self, conn: u64, id: &str, node: &Node) {
        let Some(lobby) = self.lobby.get_mut(&conn) else {
            return;
        };
        let Some(proposal) = lobby.proposal.take_if(|proposal| proposal.iq == id) else {
            return;
        };
        let Some(identity) = node
            .get_optional_child("pair-device-sign")
            .and_then(|sign| child_bytes(sign, "device-identity"))
        else {
            drop(
                proposal
                    .done
                    .send(Err("the client did not sign its identity".to_owned())),
            );
            return;
        };
        let Proposal {
            addr,
            key_index,
            done,
            ..
        } = proposal;
        let candidate = lobby.candidate.clone();
        let out = lobby.out.clone();
        self.companions.insert(
            addr.clone(),
            Companion {
                addr: addr.clone(),
                key_index,
                noise_public: Blob(candidate.noise_public),
                identity_public: Blob(candidate.identity_public),
                registration_id: candidate.registration_id,
                signed_prekey: candidate.signed_prekey,
                old_prekeys: Blob::default(),
                prekeys: std::collections::VecDeque::new(),
                device_identity: Blob(identity.to_vec()),
                old_queue: Vec::new(),
                queue: crate::backlog::Queue::default(),
                seen: std::collections::HashSet::new(),
                seen_lately: Vec::new(),
                asked_for: BTreeSet::new(),
            },
        );
        self.touch_companion(&addr);
        self.touch_phone(&addr.number);
        // The phone shares the key of the settings collections at once, so that the companion
        // does not have to ask for it at its first log-in.
        self.share_app_state_key(&addr);
        self.tell_past(&addr, candidate.wants_all);
        self.announce_device(&addr, "add");
        drop(done.send(Ok(addr)));
        tokio::spawn(async move {
            tokio::time::sleep(RESTART_DELAY).await;
            let restart = NodeBuilder::new("stream:error").attr("code", "515").build();
            Self::send_to_conn(&out, restart);
            drop(out.send(Out::Close));
        });
    }

    fn pairing_refused(&mut self, conn: u64, id: &str, node: &Node) {
        let Some(proposal) = self
            .lobby
            .get_mut(&conn)
            .and_then(|lobby| lobby.proposal.take_if(|proposal| proposal.iq == id))
        else {
            return;
        };
        let reason = node
            .get_optional_child("error")
            .map(|error| text(error, "text"))
            .unwrap_or_default();
        drop(
            proposal
                .done
                .send(Err(format!("the client refused the pairing: {reason}"))),
        );
    }

    /// Stage one of a link code: the client asks, the server remembers.
    fn companion_hello(&mut self, conn: u64, id: &str, request: &Node) -> Node {
        let number = jid(request, "jid").map(|jid| jid.user.to_string());
        let wrapped = child_bytes(request, "link_code_pairing_wrapped_companion_ephemeral_pub");
        let (Some(number), Some(wrapped)) = (number, wrapped) else {
            return iq_error(id, 400, "bad-request");
        };
        let reference = ambient::bytes::<16>().to_vec();
        self.codes.insert(
            number,
            LinkCode {
                conn,
                reference: reference.clone(),
                wrapped_companion_key: wrapped.to_vec(),
                asked_ms: ambient::now_ms(),
                typed: None,
            },
        );
        let child = NodeBuilder::new("link_code_companion_reg")
            .attr("stage", "companion_hello")
            .children([NodeBuilder::new("link_code_pairing_ref")
                .bytes(reference)
                .build()])
            .build();
        result(id, vec![child])
    }

    /// The last stage: the client's key bundle, which only the right code can have opened.
    fn companion_finish(&mut self, conn: u64, id: &str, request: &Node) -> Node {
        let number = jid(request, "jid").map(|jid| jid.user.to_string());
        let reference = child_bytes(request, "link_code_pairing_ref");
        let bundle = child_bytes(request, "link_code_pairing_wrapped_key_bundle");
        let identity = child_bytes(request, "companion_identity_public");
        let (Some(number), Some(reference), Some(bundle), Some(identity)) =
            (number, reference, bundle, identity)
        else {
            return iq_error(id, 400, "bad-request");
        };
        let typed = self
            .codes
            .get_mut(&number)
            .filter(|code| code.conn == conn && code.reference == reference)
            .and_then(|code| code.typed.take());
        let Some(typed) = typed else {
            return iq_error(id, 400, "bad-request");
        };
        let secret = self
            .phones
            .get(&number)
            .ok_or_else(|| "the phone is gone".to_owned())
            .and_then(|phone| phone.open_key_bundle(&typed, bundle, identity));
        match secret.and_then(|secret| self.invitation(&number, conn, &secret)) {
            Ok(invitation) => {
                self.codes.remove(&number);
                self.invite(conn, invitation, typed.done);
            }
            Err(reason) => drop(typed.done.send(Err(reason))),
        }
        result(id, Vec::new())
    }
}
