//! The shop's API token. Neither tool says it: what a model reads may end up anywhere.

use recado_identity::audit::Actor;
use recado_model::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::{Effect, NoArgs, ToolAnswer, ToolCall, ToolEntry, confirm::Asked, tool};

pub(super) fn tools() -> Vec<ToolEntry> {
    vec![
        tool(
            "get_api_key",
            "Ver API Token",
            "Which API token (token_ext) is in use, by its last characters, where a person finds it, and the MCP address. The token itself is never shown here.",
            Effect::Query,
            show,
        ),
        tool(
            "regenerate_api_key",
            "Regenerar API Token",
            "Replace the API token (token_ext). The one in use stops at once, and with it every MCP client that has it; a person copies the new one from the dashboard. confirmation must be true.",
            Effect::Mutation,
            regenerate,
        )
        .confirmed(ask),
    ]
}

#[derive(Serialize)]
struct ApiKey<'a> {
    success: bool,
    /// Prefix and last four characters.
    hint: &'a str,
    label: Option<&'a str>,
    created_at: String,
    expires_at: Option<String>,
    dashboard: String,
    mcp_url: String,
    message: String,
}

async fn show(call: ToolCall, _: NoArgs) -> Result<ToolAnswer> {
    let credentials = call.app.credentials();
    let (actor, own) = (Actor::from(&call.shop), call.shop.credential());
    let key = credentials.get(actor, own).await?;
    let public_url = &call.app.config().public_url;
    ToolAnswer::json(&ApiKey {
        success: true,
        hint: &key.hint,
        label: key.label.as_deref(),
        created_at: key.created_at.to_rfc3339(),
        expires_at: key.expires_at.map(|at| at.to_rfc3339()),
        dashboard: format!("{public_url}/dashboard"),
        mcp_url: format!("{public_url}/api/mcp/"),
        message: format!(
            "Tokens are not shown in a conversation. A person finds this one at {public_url}/dashboard → Settings."
        ),
    })
}

#[derive(Deserialize, JsonSchema)]
struct RegenerateArgs {
    /// Must be true
    #[serde(deserialize_with = "only_true")]
    #[schemars(with = "bool")]
    #[expect(dead_code, reason = "read for being true, which it is once it is here")]
    confirmation: bool,
}

fn only_true<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    if bool::deserialize(deserializer)? {
        return Ok(true);
    }
    Err(D::Error::custom("must be true"))
}

#[derive(Serialize)]
struct Regenerated<'a> {
    success: bool,
    /// Of the new token.
    hint: &'a str,
    dashboard: String,
    message: String,
}

async fn ask(call: ToolCall, _: RegenerateArgs) -> Result<Asked> {
    let credentials = call.app.credentials();
    let (actor, own) = (Actor::from(&call.shop), call.shop.credential());
    let key = credentials.get(actor, own).await?;
    Ok(Asked {
        effect: [
            "The token in use stops at once, and every MCP client that has it is cut off. It cannot be had back.",
            "O token em uso deixa de funcionar de imediato e todos os clientes MCP que o usam ficam desconectados. Não há volta.",
            "El token actual dejara de funcionar de inmediato y todos los clientes MCP que lo usan quedaran desconectados. No se puede deshacer.",
        ],
        lines: vec![(["Token", "Token", "Token"], key.hint.clone())],
    })
}

async fn regenerate(call: ToolCall, _: RegenerateArgs) -> Result<ToolAnswer> {
    let rotated = call.app.credentials().regenerate(&call.shop).await?;
    let public_url = &call.app.config().public_url;
    ToolAnswer::json(&Regenerated {
        success: true,
        hint: &rotated.issued.view.hint,
        dashboard: format!("{public_url}/dashboard"),
        message: format!(
            "The token of this connection has stopped working. A person finds the new one at {public_url}/dashboard → Settings and puts it into the configuration of every MCP client; it is not shown here."
        ),
    })
}
