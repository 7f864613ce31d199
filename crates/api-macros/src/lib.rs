//! The doc comment of a handler, within reach of the route table.
//!
//! A doc comment is gone once its function is compiled. `#[operation]` keeps it: beside `fn name` it puts
//! `mod name { pub const TEXT: &str }`, which the table finds by the same path as the handler. So a
//! handler without the attribute, or without a doc comment, does not compile into the table.
//!
//! ```compile_fail
//! #[recado_api_macros::operation]
//! pub async fn without_words() {}
//! ```
//! ```
//! /// Does nothing.
//! #[recado_api_macros::operation]
//! pub async fn with_words() {}
//! assert_eq!(with_words::TEXT, " Does nothing.");
//! ```
//!
//! No dependency is needed for that: the item is passed on as it is, and only looked at.

use proc_macro::{Delimiter, TokenStream, TokenTree};

/// Of handlers: the first paragraph of the doc comment is the operation's summary, the rest its
/// description. What only a maintainer need know is a plain comment.
#[proc_macro_attribute]
pub fn operation(_: TokenStream, item: TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = item.clone().into_iter().collect();
    let lines = doc_lines(&tokens);
    let text = match (name(&tokens), lines.is_empty()) {
        (Some(name), false) => format!(
            "#[doc(hidden)] pub mod {name} {{ pub const TEXT: &str = concat!({}); }}",
            lines.join(", \"\\n\", ")
        ),
        (Some(_), true) => refusal("say in a doc comment what this operation does"),
        (None, _) => refusal("an operation is a function"),
    };
    // Ours is well formed, whatever the item holds: its literals are the compiler's own.
    let mut out: TokenStream = text.parse().unwrap_or_default();
    out.extend(item);
    out
}

fn refusal(why: &str) -> String {
    format!("compile_error!({why:?});")
}

/// The lines of the doc comment, each as the literal that it has become.
fn doc_lines(tokens: &[TokenTree]) -> Vec<String> {
    let attributes = tokens.windows(2).filter_map(|pair| match pair {
        [TokenTree::Punct(hash), TokenTree::Group(group)] => {
            let is_one = hash.as_char() == '#' && group.delimiter() == Delimiter::Bracket;
            is_one.then(|| group.stream())
        }
        _ => None,
    });
    attributes.filter_map(doc_line).collect()
}

/// `doc = "…"`.
fn doc_line(attribute: TokenStream) -> Option<String> {
    let parts: Vec<TokenTree> = attribute.into_iter().collect();
    match parts.as_slice() {
        [
            TokenTree::Ident(name),
            TokenTree::Punct(_),
            TokenTree::Literal(line),
        ] => (name.to_string() == "doc").then(|| line.to_string()),
        _ => None,
    }
}

/// The word after `fn`.
fn name(tokens: &[TokenTree]) -> Option<String> {
    tokens.windows(2).find_map(|pair| match pair {
        [TokenTree::Ident(word), TokenTree::Ident(name)] => {
            (word.to_string() == "fn").then(|| name.to_string())
        }
        _ => None,
    })
}
