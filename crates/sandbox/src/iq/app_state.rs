//! What the devices of an account tell each other of chats, people and settings: asked for, and written.

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use crate::ambient;
use crate::appstate::{COLLECTIONS, Collection, News, Refused};
use crate::core::{Core, child_bytes, result, text};
use crate::state::Addr;

impl Core {
    /// Each collection by itself: one that is refused holds up no other.
    pub(super) fn app_state(&mut self, addr: &Addr, id: &str, node: &Node) -> Node {
        let asked: Vec<Node> = node
            .get_optional_child("sync")
            .into_iter()
            .flat_map(|sync| sync.get_children_by_tag("collection"))
            .cloned()
            .collect();
        let collections: Vec<Node> = asked
            .iter()
            .map(|asked| self.collection(addr, asked))
            .collect();
        let sync = NodeBuilder::new("sync").children(collections).build();
        result(id, vec![sync])
    }

    fn collection(&mut self, addr: &Addr, asked: &Node) -> Node {
        let name = text(asked, "name");
        let version: u64 = text(asked, "version").parse().unwrap_or_default();
        if !COLLECTIONS.contains(&name.as_str()) {
            return refused(&name, 0, (400, "bad-request"), None);
        }
        if let Some(patch) = child_bytes(asked, "patch") {
            return self.patched(addr, (&name, version), patch);
        }
        if let Some(companion) = self.companions.get_mut(addr) {
            companion.asked_for.insert(name.clone());
        }
        let anew = version == 0 || text(asked, "return_snapshot") == "true";
        match self.news(addr, &name, (version, anew)) {
            Some(news) => answer(&name, &news),
            None => refused(&name, version, (500, "internal-server-error"), None),
        }
    }

    fn news(&self, addr: &Addr, name: &str, (version, anew): (u64, bool)) -> Option<News> {
        let nothing = Collection::default();
        let phone = self.phones.get(&addr.number)?;
        let collection = phone.app_state.get(name).unwrap_or(&nothing);
        match collection.news(name, version, anew, &self.shelf) {
            Ok(news) => Some(news),
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    name,
                    "no snapshot of a collection"
                );
                None
            }
        }
    }

    /// A device writes. On another version than the last it is told what it lacks.
    fn patched(&mut self, addr: &Addr, (name, version): (&str, u64), patch: &[u8]) -> Node {
        match self.take_patch(addr, (name, version), patch) {
            Ok(version) => NodeBuilder::new("collection")
                .attr("name", name)
                .attr("version", version)
                .attr("type", "result")
                .build(),
            Err(Refused::Conflict) => {
                let news = self.news(addr, name, (version, false));
                refused(name, version, (409, "conflict"), news.as_ref())
            }
            Err(Refused::Bad) => refused(name, version, (400, "bad-request"), None),
        }
    }

    /// A patch of this device, which all others of the account are told of: the version after it.
    pub(crate) fn take_patch(
        &mut self,
        by: &Addr,
        (name, base): (&str, u64),
        patch: &[u8],
    ) -> Result<u64, Refused> {
        let Some(phone) = self.phones.get_mut(&by.number) else {
            return Err(Refused::Bad);
        };
        let collection = phone.app_state.of(name);
        collection.take(base, patch)?;
        let version = collection.version;
        self.touch_app_state(&by.number);
        let told = NodeBuilder::new("notification")
            .attr("from", by.account())
            .attr("type", "server_sync")
            .attr("id", ambient::stanza_id())
            .attr("t", ambient::now_secs())
            .children([NodeBuilder::new("collection")
                .attr("name", name)
                .attr("version", version)
                .build()])
            .build();
        for companion in self.companions_of(&by.number) {
            if companion != *by {
                self.deliver(&companion, told.clone());
            }
        }
        if !by.is_phone() {
            self.read_settings(&by.number);
        }
        Ok(version)
    }
}

fn answer(name: &str, news: &News) -> Node {
    let collection = NodeBuilder::new("collection")
        .attr("name", name)
        .attr("version", news.version)
        .attr("type", "result")
        .attr("has_more_patches", if news.more { "true" } else { "false" });
    collection.children(children(news)).build()
}

fn children(news: &News) -> Vec<Node> {
    let snapshot = news.snapshot.clone();
    let snapshot = snapshot.map(|bytes| NodeBuilder::new("snapshot").bytes(bytes).build());
    let patches = news.patches.iter().cloned();
    let patches: Vec<Node> = patches
        .map(|bytes| NodeBuilder::new("patch").bytes(bytes).build())
        .collect();
    let patches =
        (!patches.is_empty()).then(|| NodeBuilder::new("patches").children(patches).build());
    snapshot.into_iter().chain(patches).collect()
}

fn refused(
    name: &str,
    version: u64,
    (code, why): (u16, &'static str),
    news: Option<&News>,
) -> Node {
    let error = NodeBuilder::new("error")
        .attr("code", u32::from(code))
        .attr("text", why)
        .build();
    let more = news.is_some_and(|news| news.more);
    NodeBuilder::new("collection")
        .attr("name", name)
        .attr("version", news.map_or(version, |news| news.version))
        .attr("type", "error")
        .attr("has_more_patches", if more { "true" } else { "false" })
        .children(
            [error]
                .into_iter()
                .chain(news.map(children).unwrap_or_default()),
        )
        .build()
}
