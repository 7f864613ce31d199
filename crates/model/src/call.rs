//! Questions to an instance's device, as values: the holder of the link may be another process.
//!
//! To add one: a line in `calls!`, its body in `engine/src/wa/calls/<noun>.rs`, and what the sandbox answers.

use serde::{Deserialize, Serialize};

use crate::{
    Address, Error, MessageId, PhoneNumber, Result,
    chat::{ChatAct, LastMessage},
    group,
    instance::LinkingCode,
    message::TypingState,
    person::{Blocked, BusinessProfile, PersonInfo, PictureLink},
};

/// A call with the type of its answer.
pub trait DeviceCall: Into<Call> {
    type Answer;

    /// The answer to this very call; a fault of ours when it is another one's.
    fn answer(answer: CallAnswer) -> Result<Self::Answer>;
}

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* } -> $answer:ty;)*) => {
        $($(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl From<$name> for Call {
            fn from(call: $name) -> Self {
                Self::$name(call)
            }
        }

        impl DeviceCall for $name {
            type Answer = $answer;

            fn answer(answer: CallAnswer) -> Result<Self::Answer> {
                match answer {
                    CallAnswer::$name(answer) => Ok(answer),
                    other => Err(Error::internal(format!("not an answer to {}: {other:?}", stringify!($name)))),
                }
            }
        })*

        /// Any call.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Call { $($name($name),)* }

        /// The answer to a call.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum CallAnswer { $($name($answer),)* }
    };
}

calls! {
    /// Which of these numbers are on WhatsApp, and where.
    LookUp { phones: Vec<PhoneNumber>, } -> Vec<Looked>;
    /// An eight-character link code for a number; only while unpaired. The same number gets the same code
    /// for as long as that lives: somebody may be typing it. For another number it ends.
    PairCode { phone: PhoneNumber, } -> LinkingCode;
    /// Read receipts to the sender (blue ticks).
    MarkRead {
        chat: Address,
        /// In groups.
        sender: Option<Address>,
        ids: Vec<MessageId>,
    } -> ();
    /// Shows a chat that somebody writes or records, or has stopped.
    Typing { chat: Address, state: TypingState, } -> ();
    /// Does something to a chat, on all devices of the account. Over once what it changes was handed to the sink.
    ChangeChat {
        chat: Address,
        /// The person's other address, which accounts that have moved to those call the chat by.
        lid: Option<Address>,
        act: ChatAct,
        /// The newest ones.
        last: Vec<LastMessage>,
    } -> ();
    /// Saves somebody in the address book of all devices of the account; over as `ChangeChat`.
    SaveContact { phone: PhoneNumber, full_name: String, first_name: Option<String>, } -> ();
    /// Asks the phone for so many messages of a chat before its oldest one here. Answers by what name the phone's
    /// answer goes: it comes as a frame of history, or not at all.
    FetchHistory { chat: Address, oldest: LastMessage, count: u32, } -> String;
    /// Makes a label of this id, or gives it another name and colour; without a name it is deleted. Over as `ChangeChat`.
    EditLabel { id: String, name: Option<String>, color: i32, } -> ();
    /// Puts a label on a chat, or takes it off. Over as `ChangeChat`.
    LabelChat {
        chat: Address,
        /// As in `ChangeChat`.
        lid: Option<Address>,
        label: String,
        on: bool,
    } -> ();
    /// From now on what is written in a chat disappears after so many seconds; 0: it stays.
    SetTimer { chat: Address, seconds: u32, } -> ();

    /// What these people let others see. Those of whom WhatsApp says nothing are left out.
    Describe { people: Vec<Address>, } -> Vec<(Address, PersonInfo)>;
    /// Where the picture of a person or a group lies. `None`: there is none, or it is hidden.
    FindPicture { of: Address, preview: bool, } -> Option<PictureLink>;
    /// `None` of who is no business.
    ReadBusiness { of: Address, } -> Option<BusinessProfile>;
    /// Whom this number has blocked.
    ReadBlocked {} -> Vec<Blocked>;
    /// Blocks a person, or takes that back.
    Block { who: Address, blocks: bool, } -> ();
    /// Asks to hear when somebody comes and goes, or no longer.
    WatchPresence { who: Address, watches: bool, } -> ();
    /// Shows others whether somebody is here.
    ShowPresence { available: bool, } -> ();
    /// The own name, as others see it.
    Rename { name: String, } -> ();
    /// The own line below the name.
    SetAbout { about: String, } -> ();
    /// The own picture, a JPEG; none takes it away. Answers its id.
    SetPicture { jpeg: Option<Vec<u8>>, } -> Option<String>;
    /// Declines a call that rings.
    RejectCall {
        id: String,
        /// As its stanza named them, with the device.
        from: String,
        creator: String,
    } -> ();

    // Groups.
    /// All groups that the number is in.
    GroupList {} -> Vec<group::Group>;
    /// One of them.
    GroupLook { group: Address, } -> group::Group;
    GroupMake {
        name: String,
        description: Option<String>,
        people: Vec<Address>,
    } -> group::Made;
    /// With a result for each of the people.
    GroupAct { group: Address, act: group::Act, people: Vec<Address>, } -> Vec<group::Outcome>;
    GroupRename { group: Address, name: String, } -> ();
    /// `None` takes it away.
    GroupDescribe { group: Address, text: Option<String>, } -> ();
    GroupSet { group: Address, settings: group::Settings, } -> ();
    /// A JPEG; an empty one takes the picture away. The picture's id.
    GroupPicture { group: Address, jpeg: Vec<u8>, } -> String;
    /// The link; with `reset` a new one, and the old one is over.
    GroupLink { group: Address, reset: bool, } -> String;
    /// The group that a link leads to, without joining it.
    GroupPreview { code: String, } -> group::Group;
    GroupJoin { code: String, } -> group::Joined;
    /// Who wants to join.
    GroupRequests { group: Address, } -> Vec<group::JoinRequest>;
    GroupLeave { group: Address, } -> ();
}

/// A number that was looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    pub phone: PhoneNumber,
    /// Where it is; WhatsApp may know it in a corrected form. `None`: it is not on WhatsApp.
    pub address: Option<Address>,
    /// The id that goes with it.
    #[serde(default)]
    pub lid: Option<Address>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_and_its_answer_survive_the_way_to_another_process() {
        let phone = PhoneNumber::parse("+5511999999999").expect("a number");
        let call: Call = LookUp {
            phones: vec![phone.clone()],
        }
        .into();
        let text = serde_json::to_string(&call).expect("writes");
        assert_eq!(serde_json::from_str::<Call>(&text).expect("reads"), call);
        let looked = vec![Looked {
            address: Some(Address::of_number(&phone)),
            phone,
            lid: None,
        }];
        let answer = CallAnswer::LookUp(looked.clone());
        let text = serde_json::to_string(&answer).expect("writes");
        let answer: CallAnswer = serde_json::from_str(&text).expect("reads");
        assert!(PairCode::answer(answer.clone()).is_err(), "another call's");
        assert_eq!(LookUp::answer(answer).expect("its own"), looked);
    }
}
