//! The shop itself.

use recado_model::Result;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Effect, NoArgs, ToolAnswer, ToolCall, ToolEntry, tool};

pub(super) fn tools() -> Vec<ToolEntry> {
    vec![tool(
        "get_shop_status",
        "Estado de la tienda",
        "Language, credits and basic configuration of the shop, and how many WhatsApp numbers are connected.",
        Effect::Query,
        status,
    )]
}

#[derive(Serialize)]
struct ShopStatusBody<'a> {
    success: bool,
    name: &'a str,
    language: &'a str,
    credits: Credits,
    buy_agents: Option<u64>,
    network: &'static str,
    mcp_url: String,
    whatsapp: NumberCounts,
}

/// Instances are paid for, not messages: no limit, unless some instance is refused for want of payment.
#[derive(Serialize)]
struct Credits {
    unlimited: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    unpaid: Option<u64>,
}

#[derive(Serialize)]
struct NumberCounts {
    sessions: u64,
    connected: u64,
    by_state: Map<String, Value>,
}

async fn status(call: ToolCall, _: NoArgs) -> Result<ToolAnswer> {
    let status = call.app.shop().status(&call.shop).await?;
    ToolAnswer::json(&ShopStatusBody {
        success: true,
        name: &status.account.name,
        language: &status.account.language,
        credits: Credits {
            unlimited: status.unpaid == 0,
            unpaid: Some(status.unpaid).filter(|count| *count > 0),
        },
        buy_agents: None,
        network: call.app.network(),
        mcp_url: format!("{}/api/mcp/", call.app.config().public_url),
        whatsapp: NumberCounts {
            sessions: status.instances,
            connected: status.connected,
            by_state: status
                .by_state
                .iter()
                .map(|(state, count)| (state.as_str().to_owned(), Value::from(*count)))
                .collect(),
        },
    })
}
