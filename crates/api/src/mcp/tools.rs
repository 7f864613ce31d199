//! The tools: one file per noun, each with a `tools()` that lists its own.
//!
//! A tool is a name, words for people and models, and an `async fn(ToolCall, Args) -> Result<ToolAnswer>`.
//! Its schema is made from `Args` once per process; its access rule is read from the type of the
//! first argument; the confirmation step is the table's business, not the tool's.

mod answer;
mod confirm;
mod credentials;
mod messages;
mod numbers;
mod schema;
mod shop;
mod stray;

use std::{collections::HashMap, panic::AssertUnwindSafe, pin::Pin, sync::LazyLock};

use futures_util::FutureExt;
use recado_app::App;
use recado_identity::{Granted, ShopToken};
use recado_model::{Error, ErrorCode, Result};
use rmcp::model::{CallToolResult, ContentBlock, JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    auth::{Guard, Rule},
    error::{self, Fail},
    extract,
};

pub use answer::ToolAnswer;
use confirm::Asked;

/// The caller of a tool, and the services it may act through.
pub struct ToolCall {
    pub app: App,
    pub shop: ShopToken,
    pub(crate) request_id: String,
}

impl Guard for ToolCall {
    const RULE: Rule = Rule::Mcp;
}

impl ToolCall {
    /// The instance that a tool means by `session_id`. A foreign one looks like a missing one.
    async fn instance(&self, number: i64) -> Result<Granted<ShopToken>> {
        let found = self.app.instances().by_number(&self.shop, number).await?;
        found.ok_or_else(|| Error::new(ErrorCode::NotFound, format!("session {number} not found")))
    }
}

/// Of a tool that asks for nothing.
#[derive(Deserialize, JsonSchema)]
struct NoArgs {}

/// The effect of a tool on the world; decides description and annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Query,
    Mutation,
}

type Running<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;
/// Reads the arguments; what it gives has not begun yet.
type Start<T> =
    Box<dyn Fn(ToolCall, JsonObject) -> std::result::Result<Running<T>, Fail> + Send + Sync>;

fn start<F, Call, Args, Run, T>(run: F) -> Start<T>
where
    F: Fn(Call, Args) -> Run + Send + Sync + 'static,
    Call: From<ToolCall>,
    Args: DeserializeOwned,
    Run: Future<Output = Result<T>> + Send + 'static,
{
    Box::new(move |call, arguments| {
        let args = extract::typed(arguments)?;
        Ok(Box::pin(run(call.into(), args)))
    })
}

/// A tool of the table.
pub struct ToolEntry {
    pub name: &'static str,
    /// Spanish, as the contract's catalogue has it.
    title: &'static str,
    effect: Effect,
    pub rule: Rule,
    /// The confirmation step, where there is one.
    gate: Option<Start<Asked>>,
    /// Arguments of the contract that it does not carry out.
    later: &'static [stray::Later],
    pub definition: Tool,
    start: Start<ToolAnswer>,
}

/// A line of a noun's `tools()`.
fn tool<F, Call, Args, Run>(
    name: &'static str,
    title: &'static str,
    description: &'static str,
    effect: Effect,
    run: F,
) -> ToolEntry
where
    F: Fn(Call, Args) -> Run + Send + Sync + 'static,
    Call: Guard + From<ToolCall>,
    Args: DeserializeOwned + JsonSchema + 'static,
    Run: Future<Output = Result<ToolAnswer>> + Send + 'static,
{
    let kind = match effect {
        Effect::Query => "query",
        Effect::Mutation => "mutation",
    };
    let annotations = ToolAnnotations::with_title(title)
        .read_only(effect == Effect::Query)
        .destructive(false)
        .idempotent(effect == Effect::Query)
        .open_world(effect == Effect::Mutation);
    let description = format!("{title} — {description} [{kind}]");
    ToolEntry {
        name,
        title,
        effect,
        rule: Call::RULE,
        gate: None,
        later: &[],
        definition: Tool::new(name, description, schema::of::<Args>())
            .with_annotations(annotations),
        start: start(run),
    }
}

impl ToolEntry {
    /// Nothing happens before the caller repeats the call with `confirm: true`; until then `ask` judges the
    /// whole call and says what it would do.
    fn confirmed<F, Call, Args, Run>(mut self, ask: F) -> Self
    where
        F: Fn(Call, Args) -> Run + Send + Sync + 'static,
        Call: From<ToolCall>,
        Args: DeserializeOwned,
        Run: Future<Output = Result<Asked>> + Send + 'static,
    {
        self.gate = Some(start(ask));
        let text = self.definition.description.take().unwrap_or_default();
        let hint = " (requiere confirmación: pasar confirm=true para ejecutar)";
        self.definition.description = Some(format!("{text}{hint}").into());
        schema::add_confirm(&mut self.definition);
        if let Some(annotations) = self.definition.annotations.take() {
            self.definition.annotations = Some(annotations.destructive(true));
        }
        self
    }

    /// The contract has these arguments as well; they are refused by name where they ask for something.
    fn without(mut self, later: &'static [stray::Later]) -> Self {
        self.later = later;
        self
    }

    /// For the access matrix.
    pub(crate) fn note(&self) -> String {
        let effect = match self.effect {
            Effect::Query => "read-only",
            Effect::Mutation => "changes things",
        };
        match &self.gate {
            Some(_) => format!("{effect}, confirm-gated"),
            None => effect.to_owned(),
        }
    }

    /// A failing tool is a result with `isError`, never a JSON-RPC error. Nobody is asked to confirm what
    /// cannot be done.
    pub(crate) async fn call(&self, call: ToolCall, mut arguments: JsonObject) -> CallToolResult {
        arguments.retain(|_, value| !value.is_null());
        let confirmed = match confirm::take(&mut arguments) {
            Ok(confirmed) => confirmed,
            Err(error) => return failed(&error),
        };
        if let Some(error) = self.stray(&arguments) {
            return failed(&error);
        }
        let request_id = call.request_id.clone();
        let content = match &self.gate {
            Some(ask) if !confirmed => {
                let (app, shop) = (call.app.clone(), call.shop.clone());
                match ask(call, arguments) {
                    Ok(asking) => self.asked(&app, &shop, asking).await,
                    Err(fail) => return failed(fail.error()),
                }
            }
            _ => match (self.start)(call, arguments) {
                Ok(running) => caught(running).await.map(ToolAnswer::into_content),
                Err(fail) => return failed(fail.error()),
            },
        };
        match content {
            Ok(content) => CallToolResult::success(content),
            Err(error) => {
                error::log(&error, &request_id);
                failed(&error)
            }
        }
    }

    /// What the call would do, as the text that asks for a word.
    async fn asked(
        &self,
        app: &App,
        shop: &ShopToken,
        asking: Running<Asked>,
    ) -> Result<Vec<ContentBlock>> {
        let asked = caught(asking).await?;
        let language = app.shop().language(shop).await?;
        let text = asked.text(self.title, language);
        Ok(vec![ContentBlock::text(text)])
    }
}

/// A panic would end the task that `rmcp` runs us in, and leave the caller without an answer.
async fn caught<T>(running: Running<T>) -> Result<T> {
    let outcome = AssertUnwindSafe(running).catch_unwind().await;
    outcome.unwrap_or_else(|_| Err(error::panicked()))
}

fn failed(error: &Error) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(error::tool_text(error))])
}

struct Table {
    entries: Vec<ToolEntry>,
    by_name: HashMap<&'static str, usize>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut entries: Vec<_> = [
        shop::tools(),
        credentials::tools(),
        numbers::tools(),
        messages::tools(),
    ]
    .into_iter()
    .flatten()
    .collect();
    // The protocol wants a stable order.
    entries.sort_by_key(|entry| entry.name);
    let by_name = entries
        .iter()
        .enumerate()
        .map(|(at, entry)| (entry.name, at))
        .collect();
    Table { entries, by_name }
});

/// All tools, by name.
pub fn all() -> &'static [ToolEntry] {
    &TABLE.entries
}

pub fn find(name: &str) -> Option<&'static ToolEntry> {
    TABLE.by_name.get(name).map(|at| &TABLE.entries[*at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions() {
        let definitions: Vec<_> = all().iter().map(|entry| &entry.definition).collect();
        insta::assert_json_snapshot!(definitions);
    }

    #[test]
    fn every_name_once_and_described_in_the_contracts_form() {
        assert_eq!(TABLE.by_name.len(), all().len());
        for entry in all() {
            let description = entry.definition.description.as_deref().expect("described");
            let kind = if entry.effect == Effect::Query {
                "[query]"
            } else {
                "[mutation]"
            };
            assert!(
                description.contains(" — ") && description.contains(kind),
                "{description}"
            );
            let gated = entry.gate.is_some();
            assert_eq!(
                description.contains("confirm=true"),
                gated,
                "{}",
                entry.name
            );
            let properties = &entry.definition.input_schema["properties"];
            assert_eq!(properties.get("confirm").is_some(), gated, "{}", entry.name);
        }
    }
}
