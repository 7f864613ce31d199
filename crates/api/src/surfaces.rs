//! Which surface a path is on, by the prefixes that the groups of the table name.

use http::HeaderMap;

use crate::Surface;

/// The prefixes of all groups, the deepest first: what is below `/dashboard/api` is below `/dashboard`, too.
#[derive(Debug)]
pub struct Surfaces(Vec<Prefix>);

impl Surfaces {
    pub(crate) fn of(prefixes: impl Iterator<Item = (Surface, &'static str)>) -> Self {
        let prefix = |(surface, prefix)| Prefix {
            parts: parts(prefix).collect(),
            surface,
        };
        let mut prefixes: Vec<_> = prefixes.map(prefix).collect();
        prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.parts.len()));
        Self(prefixes)
    }

    /// The surface of a request. Decided on the parsed path alone, so that a query can never move a request
    /// to another face. A path of nobody is the instance API's, or the Direct API's when the caller shows
    /// its key.
    pub fn of_request(&self, path: &str, headers: &HeaderMap) -> Surface {
        match self.0.iter().find(|prefix| prefix.holds(path)) {
            Some(prefix) => prefix.surface,
            None if headers.contains_key("x-api-key") => Surface::Direct,
            None => Surface::Instance,
        }
    }
}

/// A prefix of the table.
#[derive(Debug)]
struct Prefix {
    parts: Vec<&'static str>,
    surface: Surface,
}

impl Prefix {
    /// Whether the path is here or below. The root is a place of its own: everything is below it.
    fn holds(&self, path: &str) -> bool {
        let mut asked = parts(path);
        match self.parts.as_slice() {
            [] => asked.next().is_none(),
            ours => ours.iter().all(|part| asked.next() == Some(part)),
        }
    }
}

/// The parts of a path, however many slashes there are between them.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}
