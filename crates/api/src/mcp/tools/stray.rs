//! Arguments that a tool does not have. What is misspelt must not be dropped and the rest done: whoever wrote
//! `scheduled_at` did not mean "now", and whoever wrote `sesion_id` did not mean "from any number".
//!
//! The contract's own arguments that are not carried out here are refused by name where they ask for something
//! of a tool that changes things: models fill in what is optional with nothing, or with the default.

use recado_model::{Error, ErrorCode};
use rmcp::model::JsonObject;
use serde_json::Value;

use super::{Effect, ToolEntry};

/// An argument of the contract that is not carried out here, and the value of it that asks for nothing.
pub(super) type Later = (&'static str, &'static str);

/// Filters that the contract's catalogue lists at tools of the same file as well; a query has no use for them.
const OF_SIBLINGS: [&str; 10] = [
    "direction",
    "phone",
    "page",
    "limit",
    "period",
    "days",
    "date_from",
    "date_to",
    "search",
    "status",
];
/// The selector behind the contract's tools, which callers may send along.
const ACTION: &str = "action";

impl ToolEntry {
    /// The first argument that this tool does not take, in words that name the nearest one that it does.
    pub(super) fn stray(&self, arguments: &JsonObject) -> Option<Error> {
        let own = self.definition.input_schema.get("properties");
        let own = own.and_then(Value::as_object);
        let takes = |name: &str| own.is_some_and(|own| own.contains_key(name));
        let mut unknown = arguments.iter().filter(|(name, _)| !takes(name));
        unknown.find_map(|(name, value)| self.judge(name, value))
    }

    fn judge(&self, name: &str, value: &Value) -> Option<Error> {
        if name == ACTION || asks_for_nothing(value) {
            return None;
        }
        let query = self.effect == Effect::Query;
        match self.later.iter().find(|(later, _)| *later == name) {
            Some((_, usual)) if query || value == *usual => return None,
            Some(_) => return Some(self.not_done(name)),
            None => {}
        }
        (!query || !OF_SIBLINGS.contains(&name)).then(|| self.unknown(name))
    }

    fn not_done(&self, name: &str) -> Error {
        let text = format!(
            "{name} is not carried out by {} here, so nothing was done. Call again without it if that is what you want.",
            self.name
        );
        Error::new(ErrorCode::InvalidField, text)
    }

    fn unknown(&self, name: &str) -> Error {
        let shown: String = name.chars().take(60).collect();
        let own = self.definition.input_schema.get("properties");
        let names: Vec<&str> = own
            .and_then(Value::as_object)
            .map(|own| own.keys().map(String::as_str).collect())
            .unwrap_or_default();
        let likeness = |own: &str| strsim::jaro_winkler(&shown.to_lowercase(), own);
        let nearest = names
            .iter()
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let hint = match nearest {
            Some(nearest) => format!("Did you mean {nearest}? It takes {}.", names.join(", ")),
            None => "It takes no arguments.".to_owned(),
        };
        let text = format!(
            "'{shown}' is no argument of {}, so nothing was done. {hint}",
            self.name
        );
        Error::new(ErrorCode::InvalidField, text)
    }
}

/// As models fill in what they have no use for.
fn asks_for_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::find;

    fn stray(tool: &str, arguments: serde_json::Value) -> Option<String> {
        let tool = find(tool).expect("a tool");
        let arguments = arguments.as_object().expect("an object");
        tool.stray(arguments).map(|error| error.message.to_string())
    }

    #[test]
    fn what_is_misspelt_names_the_nearest() {
        for (tool, wrong, near) in [
            ("send_whatsapp_message", "sesion_id", "session_id"),
            ("send_whatsapp_message", "sessionId", "session_id"),
            ("send_whatsapp_message", "mesage", "message"),
            ("send_whatsapp_message", "idempotencykey", "idempotency_key"),
            ("get_whatsapp_status", "session", "session_id"),
            ("connect_whatsapp", "forcenew", "force_new"),
        ] {
            let text = stray(tool, json!({ wrong: "7" })).expect("refused");
            assert!(text.contains(&format!("'{wrong}'")), "{text}");
            assert!(text.contains(&format!("Did you mean {near}?")), "{text}");
        }
        let text = stray("get_shop_status", json!({"verbose": true})).expect("refused");
        assert!(text.contains("It takes no arguments."), "{text}");
    }

    #[test]
    fn what_is_not_carried_out_is_refused_where_it_asks_for_something() {
        let send = |arguments| stray("send_whatsapp_message", arguments);
        for arguments in [
            json!({"scheduled_at": "2026-03-05T09:00:00"}),
            json!({"archive_after_send": true}),
            json!({"archive_policy": "always"}),
            json!({"customer_locale": "de"}),
            json!({"from_phone": "34600000000"}),
            json!({"marketing": 1}),
        ] {
            let text = send(arguments.clone()).expect("refused");
            let name = arguments.as_object().and_then(|all| all.keys().next());
            let name = name.expect("a name");
            assert!(
                text.starts_with(&format!("{name} is not carried out")),
                "{text}"
            );
        }
        for arguments in [
            json!({"scheduled_at": null}),
            json!({"scheduled_at": ""}),
            json!({"archive_after_send": false}),
            json!({"archive_policy": "never"}),
            json!({"action": "send"}),
        ] {
            assert_eq!(send(arguments.clone()), None, "{arguments}");
        }
    }

    #[test]
    fn queries_leave_filters_of_their_siblings_aside() {
        let query = json!({"direction": "in", "phone": "34600000000", "page": 2, "action": "list"});
        assert_eq!(stray("get_whatsapp_status", query.clone()), None);
        assert!(
            stray("connect_whatsapp", query).is_some(),
            "it changes things"
        );
    }
}
