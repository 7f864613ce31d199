//! Settings of an account, as a fresh one has them.

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use crate::core::result;

/// Server-side experiments: none.
pub(super) fn props(id: &str) -> Node {
    result(
        id,
        vec![
            NodeBuilder::new("props")
                .attr("protocol", "1")
                .attr("ab_key", "sandbox")
                .attr("hash", "sandbox")
                .attr("refresh", "86400")
                .attr("refresh_id", "1")
                .children([])
                .build(),
        ],
    )
}

/// Everything visible to everybody, read receipts on.
pub(super) fn privacy(id: &str) -> Node {
    let category = |name: &'static str| {
        NodeBuilder::new("category")
            .attr("name", name)
            .attr("value", "all")
            .build()
    };
    let categories = [
        "last",
        "online",
        "profile",
        "status",
        "readreceipts",
        "groupadd",
        "calladd",
    ];
    result(
        id,
        vec![
            NodeBuilder::new("privacy")
                .children(categories.map(category))
                .build(),
        ],
    )
}
