//! The step before a tool acts: what would happen, to whom, and what cannot be undone, in the language of the
//! account. Its first line is the contract's, in the contract's language.

use recado_model::{Error, Language, Result};
use rmcp::model::JsonObject;
use serde_json::Value;

/// The same words in English, Portuguese and Spanish.
pub(super) type Words = [&'static str; 3];

/// Letters of a text that are shown whole.
const SHOWN: usize = 1_000;

/// What a tool is about to do.
pub(super) struct Asked {
    /// The effect, and what cannot be undone of it.
    pub effect: Words,
    /// By name: to whom, from which number, with which words.
    pub lines: Vec<(Words, String)>,
}

const AGAIN: Words = [
    "To do it, call again with confirm: true",
    "Para executar, chame de novo com confirm: true",
    "Para ejecutar, llama de nuevo con confirm: true",
];

fn in_language(words: Words, language: Language) -> &'static str {
    let [english, portuguese, spanish] = words;
    match language {
        Language::English => english,
        Language::Portuguese => portuguese,
        Language::Spanish => spanish,
    }
}

impl Asked {
    pub fn text(&self, title: &str, language: Language) -> String {
        let mut text = format!(
            "⚠️ CONFIRMACION REQUERIDA: {title}\n{}\n",
            in_language(self.effect, language)
        );
        for (name, value) in &self.lines {
            text.push_str(&format!(
                "{}: {}\n",
                in_language(*name, language),
                shown(value)
            ));
        }
        text.push('\n');
        text.push_str(in_language(AGAIN, language));
        text
    }
}

fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// Takes the caller's word out of the arguments. What may be meant as a yes and is none is named, so that nobody
/// repeats it for ever.
pub(super) fn take(arguments: &mut JsonObject) -> Result<bool> {
    match arguments.remove("confirm") {
        None | Some(Value::Null | Value::Bool(false)) => Ok(false),
        Some(Value::Bool(true)) => Ok(true),
        Some(Value::Number(number)) if number.as_f64() == Some(1.0) => Ok(true),
        Some(Value::Number(number)) if number.as_f64() == Some(0.0) => Ok(false),
        Some(Value::String(text)) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "" | "false" | "0" => Ok(false),
            _ => Err(wrong()),
        },
        Some(_) => Err(wrong()),
    }
}

fn wrong() -> Error {
    Error::field(
        "confirm",
        "confirm must be true (a boolean) to go on, or left out",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_yes_is_taken_in_every_form_and_what_is_none_is_named() {
        let taken = |value: Value| {
            let mut arguments = json!({ "confirm": value });
            take(arguments.as_object_mut().expect("an object"))
        };
        for yes in [
            json!(true),
            json!("true"),
            json!("True "),
            json!(1),
            json!(1.0),
            json!("1"),
        ] {
            assert!(taken(yes.clone()).expect("a word"), "{yes}");
        }
        for no in [
            json!(false),
            json!("false"),
            json!(0),
            json!(""),
            json!(null),
        ] {
            assert!(!taken(no.clone()).expect("a word"), "{no}");
        }
        for neither in [json!("yes"), json!(2), json!([true]), json!({})] {
            assert!(taken(neither.clone()).is_err(), "{neither}");
        }
    }

    #[test]
    fn the_first_line_is_the_contracts_and_the_rest_in_the_accounts_language() {
        let asked = Asked {
            effect: ["It is sent.", "Será enviado.", "Se enviará."],
            lines: vec![(["To", "Para", "Para"], "x".repeat(2_000))],
        };
        let text = asked.text("Enviar", Language::English);
        assert!(text.starts_with("⚠️ CONFIRMACION REQUERIDA: Enviar\nIt is sent.\nTo: xxx"));
        assert!(text.ends_with("…\n\nTo do it, call again with confirm: true"));
        let text = asked.text("Enviar", Language::Spanish);
        assert!(text.ends_with("\n\nPara ejecutar, llama de nuevo con confirm: true"));
    }
}
