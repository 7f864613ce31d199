//! Output to the terminal. Neither a full nor a broken standard error ends the program, and a
//! result that cannot be printed is an error and no panic.
//!
//! The macros here stand in for the standard library's of the same name, which panic: in this crate
//! nobody can use those by habit.

use std::{
    error::Error as _,
    fmt::Arguments,
    io::{ErrorKind, Write, stderr, stdout},
};

use recado_model::{Error, ErrorCode};
use recado_store::StoreError;

macro_rules! println {
    () => { $crate::output::out(format_args!("\n")) };
    ($($text:tt)*) => { $crate::output::out(format_args!("{}\n", format_args!($($text)*))) };
}
macro_rules! print {
    ($($text:tt)*) => { $crate::output::out(format_args!($($text)*)) };
}
macro_rules! eprintln {
    ($($text:tt)*) => { $crate::output::err(format_args!($($text)*)) };
}

/// Text on standard output, which is what a command is for: without it, it has failed.
pub fn out(text: Arguments<'_>) {
    let mut out = stdout().lock();
    let Err(error) = out.write_fmt(text).and_then(|()| out.flush()) else {
        return;
    };
    // A reader that closed the pipe has read all that it wanted, as `head` does.
    if error.kind() != ErrorKind::BrokenPipe {
        eprintln!(
            "recado: cannot write to standard output: {error}. What the command did stays done"
        );
    }
    std::process::exit(1);
}

/// A line on standard error. When nobody can read it, the program goes on without.
pub fn err(text: Arguments<'_>) {
    // One write, so that lines of several threads do not mix.
    let line = format!("{text}\n");
    let _ = stderr().write_all(line.as_bytes());
}

/// An error for the operator, on one line: every cause once, and what to do.
///
/// The catalogue's text for a fault of ours is meant for callers, who must not hear the cause. At
/// the terminal the cause is all that helps.
pub fn explain(error: &anyhow::Error) -> String {
    let mut said = String::new();
    let mut say = |text: &str| {
        if !said.contains(text) {
            if !said.is_empty() {
                said.push_str(": ");
            }
            said.push_str(text);
        }
    };
    let mut advised = true;
    for cause in error.chain() {
        match cause.downcast_ref::<Error>() {
            Some(known) if is_for_callers(known) => {
                advised = known
                    .source()
                    .is_some_and(|source| source.is::<StoreError>());
            }
            // The code is for programs.
            Some(known) => say(&known.message),
            None => say(&cause.to_string()),
        }
    }
    if !advised {
        said.push_str(". `recado doctor` looks at what the program needs; if all is well there, report this with its text");
    }
    said
}

/// Whether the text hides its cause. Of what is not available only the database's does: a mail server's,
/// say, tells what was being done.
fn is_for_callers(error: &Error) -> bool {
    error.source().is_some_and(|source| match error.code {
        ErrorCode::Internal => true,
        ErrorCode::Unavailable => source.is::<StoreError>(),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_once_and_callers_texts_never() {
        let full = || StoreError::Misuse("a thing");
        let told = explain(&anyhow::Error::from(Error::internal(full())));
        assert_eq!(told, full().to_string());
        let told = explain(&anyhow::Error::from(full()).context("at the start"));
        assert_eq!(told, format!("at the start: {}", full()));
        let told = explain(&anyhow::Error::from(Error::field(
            "email",
            "email is wrong",
        )));
        assert_eq!(told, "email is wrong");
        let mail = Error::new(
            ErrorCode::Unavailable,
            "The letter could not be sent: refused.",
        );
        let told = explain(&anyhow::Error::from(mail.with_source("refused")));
        assert_eq!(told, "The letter could not be sent: refused.");
        let io = std::io::Error::other("no such device");
        let told = explain(&anyhow::Error::from(Error::internal(io)));
        assert!(
            told.starts_with("no such device. `recado doctor`"),
            "{told}"
        );
    }
}
