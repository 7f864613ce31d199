//! Jobs: what an instance still has to do at WhatsApp.
//!
//! A job's kind and the version of its form are on its row. A node takes those that it knows; what a
//! newer program left stands aside until one that knows it takes it.

/// The subject of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// The finished message of that id is to reach WhatsApp.
    Send,
}

impl JobKind {
    pub const ALL: [Self; 1] = [Self::Send];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Of the form in which jobs of this kind and their content are written. Those of older forms are
    /// still understood, those of newer ones stand aside.
    pub fn version(self) -> i64 {
        match self {
            Self::Send => 1,
        }
    }
}

/// The two lines that callers see. There is one line: order holds in a chat, whatever goes into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// What a chat shows by itself.
    Messages,
    /// What is done to earlier messages.
    Operations,
}

impl Lane {
    pub fn is_operations(self) -> bool {
        self == Self::Operations
    }
}
