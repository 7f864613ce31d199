//! Where media goes.

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use crate::core::{Core, result};

impl Core {
    /// Where media goes: our own listener.
    pub(super) fn media_conn(&self, id: &str) -> Node {
        let host = NodeBuilder::new("host")
            .attr("hostname", self.media_host.as_str())
            .attr("type", "primary")
            .build();
        result(
            id,
            vec![
                NodeBuilder::new("media_conn")
                    .attr("auth", "sandbox")
                    .attr("ttl", "3600")
                    .attr("auth_ttl", "3600")
                    .attr("max_buckets", "12")
                    .children([host])
                    .build(),
            ],
        )
    }
}
