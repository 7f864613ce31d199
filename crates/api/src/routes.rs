//! The one table of routes, and what is made from it.
//!
//! | file | holds |
//! |---|---|
//! | `table` | the table itself: surface and prefixes of a group, then method, path and handler, a line a row |
//! | `row` | what a line is: the access rule and the shapes, read from the handler's type |
//! | `operation` | what a line does, in words: from the handler's doc comment |
//! | `surfaces` | which surface a path is on, whether or not a route is there |
//! | `router` | the router, and the methods that each path knows |
//! | `matrix` | all rows with those of MCP, and `docs/access-matrix.md` |

mod matrix;
mod operation;
mod router;
mod row;
mod surfaces;
mod table;

pub use matrix::{access_matrix, routes};
pub use operation::Operation;
pub(crate) use router::{AllowedMethods, assemble, build};
pub use row::{First, Route, RouteRow, route};
pub use surfaces::surface_of;

/// Every route, in the table's order.
pub fn table() -> Vec<Route> {
    let groups = table::groups().into_iter();
    groups.flat_map(|group| group.routes).collect()
}
