//! Half of an emoji: a text that was cut between the two UTF-16 units of one character, and escaped. No
//! reader of JSON takes that, and none says where it is.

use serde_json::Value;

/// Stands for the half in a look at the rest. Noncharacters, so that nobody's text has it.
const MARK: &str = "\u{fdd0}\u{fdd1}";

/// The field that holds a half (`""` where it is a name at the top); `None` where there is none, or the
/// text is no JSON for another reason.
pub fn half_emoji(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(&marked(text)?).ok()?;
    path_to_mark(&value)
}

/// The words for it.
pub fn half_emoji_text(field: &str) -> String {
    let field = if field.is_empty() {
        "A field's name"
    } else {
        field
    };
    format!(
        "{field} holds half of an emoji: a text was cut in the middle of a character. Cut texts between whole characters."
    )
}

/// The text with the mark for each half; `None` where there is none. Backslashes are within strings
/// only, in whatever is JSON.
fn marked(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut any = false;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = match unit(rest) {
            Some(0xd800..=0xdbff) if matches!(unit(&rest[6..]), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => {
                any = true;
                out.push_str(MARK);
                rest = &rest[6..];
                continue;
            }
            Some(_) => 6,
            // The next character is escaped, whatever it is.
            None => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        };
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out.push_str(rest);
    any.then_some(out)
}

/// The UTF-16 unit of the escape that `text` begins with.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

fn path_to_mark(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.contains(MARK).then(String::new),
        Value::Array(items) => items.iter().enumerate().find_map(|(at, item)| {
            let below = path_to_mark(item)?;
            Some(format!("[{at}]{}", dotted(&below)))
        }),
        Value::Object(map) => map.iter().find_map(|(name, value)| {
            if name.contains(MARK) {
                return Some(String::new());
            }
            let below = path_to_mark(value)?;
            Some(format!("{name}{}", dotted(&below)))
        }),
        _ => None,
    }
}

fn dotted(below: &str) -> String {
    match below.is_empty() || below.starts_with('[') {
        true => below.to_owned(),
        false => format!(".{below}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_found_where_they_are() {
        for (text, field) in [
            (r#"{"a":"\ud83d"}"#, Some("a")),
            (
                r#"{"a":"x","b":{"c":["d",{"e":"\uDE00"}]}}"#,
                Some("b.c[1].e"),
            ),
            (r#"{"a":[["\ud83d\ud83d\ude00"]]}"#, Some("a[0][0]")),
            (r#"{"a":{"\ud83d":1}}"#, Some("a")),
            (r#"{"\ud83d":1}"#, Some("")),
            (r#"{"a":"\ud83d\n"}"#, Some("a")),
            (r#"{"a":"\ud83d\ude00"}"#, None),
            (r#"{"a":"\\ud83d"}"#, None),
            (r#"{"a":"\\\ud83d"}"#, Some("a")),
            (r#"{"a":"\u00e9 \u12"}"#, None),
            (r#"{"a":"\ud83d","b":}"#, None),
            ("{\"a\":\"\\\u{1f600}\\ud83d\"}", None),
            ("\\", None),
            ("\\u", None),
            (r"\ud83d\u", None),
        ] {
            assert_eq!(half_emoji(text).as_deref(), field, "{text}");
        }
    }
}
