//! Questions to an instance's device, as values: the holder of the link may be another process.
//!
//! To add one: a line in `calls!`, its body in `engine/src/wa/calls/<noun>.rs`, and what the sandbox answers.

use serde::{Deserialize, Serialize};

use crate::{
    Address, Error, MessageId, PhoneNumber, Result, instance::LinkingCode, message::TypingState,
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
}

/// A number that was looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    pub phone: PhoneNumber,
    /// Where it is; WhatsApp may know it in a corrected form. `None`: it is not on WhatsApp.
    pub address: Option<Address>,
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
        }];
        let answer = CallAnswer::LookUp(looked.clone());
        let text = serde_json::to_string(&answer).expect("writes");
        let answer: CallAnswer = serde_json::from_str(&text).expect("reads");
        assert!(PairCode::answer(answer.clone()).is_err(), "another call's");
        assert_eq!(LookUp::answer(answer).expect("its own"), looked);
    }
}
