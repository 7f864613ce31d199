//! The network's working state: accounts, devices and live connections behind one lock.
//!
//! Every step is synchronous. A connection hands a stanza in, the core changes state and puts the
//! answers into the channels of the connections concerned.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};
use wacore_libsignal::protocol::KeyPair;

use crate::group::Group;
use crate::shelf::Shelf;
use crate::state::{Addr, Companion, Meta, Phone, SignedPreKey};
use crate::trouble::Troubles;

/// A command to a connection's task.
#[derive(Debug)]
pub(crate) enum Out {
    /// Send this stanza.
    Stanza(Node),
    /// Say goodbye and close.
    Close,
}

pub(crate) type Sender = mpsc::UnboundedSender<Out>;

/// How far a logged-in connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Logged in, has not asked for traffic.
    Passive,
    /// Being given what waited: `left` stanzas of the announced backlog are still to be sent.
    Offline { left: usize, total: usize },
    /// Stanzas go out as they come.
    Live,
}

/// A companion's live connection.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) conn: u64,
    pub(crate) out: Sender,
    pub(crate) phase: Phase,
    /// It says that somebody looks at it.
    pub(crate) available: bool,
    /// Whose presence it wants to hear of: by number, and as it named them.
    pub(crate) watches: BTreeMap<String, Jid>,
}

/// A new client's word about itself before it is paired.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) noise_public: Vec<u8>,
    pub(crate) identity_public: Vec<u8>,
    pub(crate) registration_id: u32,
    pub(crate) signed_prekey: SignedPreKey,
    /// It wants all of the phone's past.
    pub(crate) wants_all: bool,
}

/// A connection that waits to be paired.
#[derive(Debug)]
pub(crate) struct Lobby {
    pub(crate) out: Sender,
    pub(crate) candidate: Candidate,
    /// The QR references that were handed out, in the order in which they are shown.
    pub(crate) refs: Vec<String>,
    pub(crate) opened_ms: i64,
    /// Set while a phone is pairing with it.
    pub(crate) proposal: Option<Proposal>,
}

/// A pairing that the phone has signed and the client has not.
#[derive(Debug)]
pub(crate) struct Proposal {
    pub(crate) iq: String,
    pub(crate) addr: Addr,
    pub(crate) key_index: u32,
    pub(crate) done: oneshot::Sender<Result<Addr, String>>,
}

/// A link code that a client asked for.
#[derive(Debug)]
pub(crate) struct LinkCode {
    pub(crate) conn: u64,
    pub(crate) reference: Vec<u8>,
    pub(crate) wrapped_companion_key: Vec<u8>,
    pub(crate) asked_ms: i64,
    /// The phone's half, once somebody typed a code.
    pub(crate) typed: Option<TypedCode>,
}

/// The phone's side of a link code in progress.
pub(crate) struct TypedCode {
    pub(crate) ephemeral: KeyPair,
    pub(crate) companion_ephemeral: [u8; 32],
    pub(crate) done: oneshot::Sender<Result<Addr, String>>,
}

impl std::fmt::Debug for TypedCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TypedCode").finish_non_exhaustive()
    }
}

/// An acknowledgement that waits for the receipt of its message.
#[derive(Debug)]
pub(crate) struct HeldAck {
    pub(crate) out: Sender,
    pub(crate) ack: Node,
    pub(crate) delay: Duration,
}

/// A thing that changed since the last save.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entity {
    Meta,
    Companion(Addr),
    PreKeys(Addr),
    Queue(Addr),
    /// The ids of the messages that the server took from a companion.
    Seen(Addr),
    Phone(String),
    Group(String),
    /// What a phone's devices tell each other of chats and people.
    AppState(String),
}

pub(crate) struct Core {
    pub(crate) meta: Meta,
    pub(crate) noise_key: KeyPair,
    pub(crate) phones: BTreeMap<String, Phone>,
    pub(crate) companions: BTreeMap<Addr, Companion>,
    /// By id.
    pub(crate) groups: BTreeMap<String, Group>,
    /// Phone numbers by hidden id.
    pub(crate) lids: HashMap<String, String>,
    pub(crate) links: HashMap<Addr, Link>,
    /// Which companion a logged-in connection belongs to.
    pub(crate) logged_in: HashMap<u64, Addr>,
    pub(crate) lobby: HashMap<u64, Lobby>,
    pub(crate) codes: HashMap<String, LinkCode>,
    pub(crate) login_waiters: HashMap<Addr, Vec<oneshot::Sender<()>>>,
    pub(crate) dirty: BTreeSet<Entity>,
    /// Counts the steps that left something to save.
    pub(crate) version: u64,
    pub(crate) troubles: Troubles,
    /// Acknowledgements that wait for the receipt of their message, by sender and message id.
    pub(crate) held_acks: HashMap<(Addr, String), HeldAck>,
    /// Host and port that companions are told to use for media.
    pub(crate) media_host: String,
    pub(crate) shelf: Shelf,
    /// Until when the media host cannot give what lies under these last parts of a path.
    pub(crate) late: HashMap<String, tokio::time::Instant>,
    /// Calls since the start.
    pub(crate) calls: Vec<crate::profile::Call>,
    pub(crate) next_conn: u64,
}

impl Core {
    pub(crate) fn touch_phone(&mut self, number: &str) {
        self.dirty.insert(Entity::Phone(number.to_owned()));
    }

    pub(crate) fn touch_companion(&mut self, addr: &Addr) {
        self.dirty.insert(Entity::Companion(addr.clone()));
    }

    /// The device that a JID names, whichever of the two address forms it uses.
    pub(crate) fn resolve(&self, jid: &Jid) -> Option<Addr> {
        let number = if jid.is_lid() {
            self.lids.get(jid.user.as_str())?.clone()
        } else if jid.is_pn() && !jid.user.is_empty() {
            jid.user.to_string()
        } else {
            return None;
        };
        Some(Addr::new(number, jid.device))
    }

    pub(crate) fn phone_mut(&mut self, number: &str) -> Option<&mut Phone> {
        self.phones.get_mut(number)
    }

    /// The linked devices of an account, oldest first.
    pub(crate) fn companions_of(&self, number: &str) -> Vec<Addr> {
        self.companions
            .range(Addr::phone(number)..)
            .take_while(|(addr, _)| addr.number == number)
            .map(|(addr, _)| addr.clone())
            .collect()
    }

    /// All devices of an account: the phone first. Empty when there is no such account.
    pub(crate) fn devices_of(&self, number: &str) -> Vec<Addr> {
        if !self.phones.contains_key(number) {
            return Vec::new();
        }
        let mut devices = vec![Addr::phone(number)];
        devices.extend(self.companions_of(number));
        devices
    }

    /// The hidden-id form of a device's address.
    pub(crate) fn lid_jid(&self, addr: &Addr) -> Option<Jid> {
        let phone = self.phones.get(&addr.number)?;
        Some(Jid::lid_device(phone.lid.as_str(), addr.device))
    }

    /// A device in the form of `like`: who is spoken to by hidden id answers by hidden id.
    pub(crate) fn jid_like(&self, addr: &Addr, like: &Jid) -> Jid {
        let lid = self.lid_jid(addr).filter(|_| like.is_lid());
        lid.unwrap_or_else(|| addr.jid())
    }

    /// Writes to a connection. A closed one is not an error: what matters is queued elsewhere.
    pub(crate) fn send_to_conn(out: &Sender, node: Node) {
        if out.send(Out::Stanza(node)).is_err() {
            tracing::debug!("a stanza came too late for its connection");
        }
    }

    /// Ends a companion's connection with a stream error.
    pub(crate) fn end_stream(out: &Sender, error: Node) {
        Self::send_to_conn(out, error);
        if out.send(Out::Close).is_err() {
            tracing::debug!("the connection was closed already");
        }
    }

    /// There are no files: what is kept for them goes.
    pub(crate) fn settle(&mut self) {
        for entity in std::mem::take(&mut self.dirty) {
            match entity {
                Entity::Phone(number) => {
                    if let Some(phone) = self.phones.get_mut(&number) {
                        phone.history.settle();
                        phone.ratchets.settle();
                        phone.sender_keys.settle();
                    }
                }
                Entity::Queue(addr) | Entity::Seen(addr) => {
                    if let Some(companion) = self.companions.get_mut(&addr) {
                        companion.queue.take_lines();
                        companion.seen_lately.clear();
                    }
                }
                Entity::Meta
                | Entity::Companion(_)
                | Entity::PreKeys(_)
                | Entity::Group(_)
                | Entity::AppState(_) => {}
            }
        }
    }

    /// A connection is gone.
    pub(crate) fn disconnected(&mut self, conn: u64) {
        self.lobby.remove(&conn);
        self.codes.retain(|_, code| code.conn != conn);
        self.held_acks.retain(|_, held| !held.out.is_closed());
        if let Some(addr) = self.logged_in.remove(&conn)
            && self.links.get(&addr).is_some_and(|link| link.conn == conn)
        {
            let number = addr.number.clone();
            self.while_there(&number, |core| drop(core.links.remove(&addr)));
        }
    }
}

/// `<iq type="result">` that answers `request`.
pub(crate) fn result(request: &str, children: Vec<Node>) -> Node {
    let builder = NodeBuilder::new("iq")
        .attr("from", wacore_binary::SERVER_JID)
        .attr("type", "result")
        .attr("id", request);
    if children.is_empty() {
        builder.build()
    } else {
        builder.children(children).build()
    }
}

/// `<iq type="error">` that answers `request`.
pub(crate) fn iq_error(request: &str, code: u16, text: &'static str) -> Node {
    NodeBuilder::new("iq")
        .attr("from", wacore_binary::SERVER_JID)
        .attr("type", "error")
        .attr("id", request)
        .children([NodeBuilder::new("error")
            .attr("code", u32::from(code))
            .attr("text", text)
            .build()])
        .build()
}

/// An attribute as text, empty when it is absent.
pub(crate) fn text(node: &Node, key: &str) -> String {
    node.attrs
        .get(key)
        .map(|value| value.as_str().into_owned())
        .unwrap_or_default()
}

/// An attribute as a JID.
pub(crate) fn jid(node: &Node, key: &str) -> Option<Jid> {
    node.attrs
        .get(key)
        .and_then(wacore_binary::NodeValue::to_jid)
}

/// The bytes in a child.
pub(crate) fn child_bytes<'a>(node: &'a Node, tag: &str) -> Option<&'a [u8]> {
    node_bytes(node.get_optional_child(tag)?)
}

/// The bytes in a node.
pub(crate) fn node_bytes(node: &Node) -> Option<&[u8]> {
    match &node.content {
        Some(wacore_binary::NodeContent::Bytes(bytes)) => Some(bytes),
        Some(wacore_binary::NodeContent::String(text)) => Some(text.as_bytes()),
        _ => None,
    }
}
