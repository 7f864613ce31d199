//! A row of the table, and a group of them.
//!
//! The access rule is not written in the table: it is read from the type of the handler's first
//! argument, so a handler without a guard does not compile into it:
//!
//! ```compile_fail
//! use recado_api::routes::route;
//! async fn open_by_mistake() -> http::StatusCode { http::StatusCode::OK }
//! let row = route(http::Method::GET, recado_api::Surface::Ops, "/x", open_by_mistake);
//! ```
//! ```
//! use recado_api::{auth::{Public, Rule}, routes::route};
//! async fn open_on_purpose(_: Public) -> http::StatusCode { http::StatusCode::OK }
//! let row = route(http::Method::GET, recado_api::Surface::Ops, "/x", open_on_purpose);
//! assert_eq!(row.row.rule, Rule::Public);
//! ```

mod operation;

use axum::{
    handler::Handler,
    routing::{MethodFilter, MethodRouter, on},
};
use http::Method;
use recado_model::Role;

pub use self::operation::Operation;
use crate::{
    ApiState, Surface,
    auth::{Guard, Rule},
    describe::{Answers, Describe, Described, Returns},
};

/// Rows whose paths are at or below the same prefixes.
pub struct Group {
    pub surface: Surface,
    pub prefixes: Vec<&'static str>,
    pub routes: Vec<Route>,
}

/// `SURFACE [PREFIXES] { METHOD PATH => HANDLER, … } …`: a list of groups.
macro_rules! table {
    ($(
        $surface:ident [$($prefix:literal),+] {
            $($method:ident $path:literal => $($handler:ident)::+,)*
        }
    )*) => {
        vec![$(Group {
            surface: Surface::$surface,
            prefixes: vec![$($prefix),+],
            routes: vec![
                $(route(Method::$method, Surface::$surface, $path, $($handler)::+)
                    .doing(Operation::new(&[$(stringify!($handler)),+], $($handler)::+::TEXT))),*
            ],
        }),*]
    };
}
pub(crate) use table;

/// One line of the table.
pub struct Route {
    pub row: RouteRow,
    pub(crate) handler: MethodRouter<ApiState>,
}

impl Route {
    pub(crate) fn doing(mut self, operation: Operation) -> Self {
        self.row.operation = operation;
        self
    }
}

/// The part of a route that the outside may know. MCP methods and tools have rows too; their `method` is
/// `MCP`, their `path` the JSON-RPC method and the tool's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRow {
    pub method: String,
    pub path: String,
    pub surface: Surface,
    pub rule: Rule,
    /// The least role of a person; `None` where no person comes.
    pub least: Option<Role>,
    /// Whether a person's password must have been asked for lately.
    pub confirmed: bool,
    /// The row's effect, for tools: read-only, destructive, confirm-gated.
    pub note: String,
    /// Its effect in words.
    pub operation: Operation,
    /// Body, query and answer.
    pub takes: Described,
}

/// Something whose first member after the marker is a guard, and whose others describe themselves: the
/// argument lists of handlers.
pub trait First {
    type Guard: Guard;
    fn describe() -> Described;
}

macro_rules! first {
    ($($rest:ident),*) => {
        impl<M, G: Guard, $($rest: Describe),*> First for (M, G, $($rest,)*) {
            type Guard = G;
            fn describe() -> Described {
                let mut described = Described::default();
                G::describe(&mut described);
                $($rest::describe(&mut described);)*
                described
            }
        }

        impl<H, F, R, M, G, $($rest),*> Returns<(M, G, $($rest,)*)> for H
        where
            H: FnOnce(G, $($rest),*) -> F,
            F: Future<Output = R>,
            R: Answers,
        {
            type Output = R;
        }
    };
}
first!();
first!(A);
first!(A, B);
first!(A, B, C);
first!(A, B, C, D);

/// A line as the table has them, but for its words. `handler`'s first argument is its access rule.
pub fn route<H, T>(method: Method, surface: Surface, path: &'static str, handler: H) -> Route
where
    H: Handler<T, ApiState> + Returns<T>,
    T: First + 'static,
{
    let rule = <T::Guard as Guard>::RULE;
    let mut described = T::describe();
    <H as Returns<T>>::Output::describe(&mut described);
    let filter = filter_of(&method);
    Route {
        row: RouteRow {
            method: method.to_string(),
            path: path.to_owned(),
            surface,
            rule,
            least: <T::Guard as Guard>::LEAST,
            confirmed: <T::Guard as Guard>::CONFIRMED,
            note: String::new(),
            operation: Operation::default(),
            takes: described,
        },
        handler: on(filter, handler),
    }
}

fn filter_of(method: &Method) -> MethodFilter {
    match *method {
        Method::POST => MethodFilter::POST,
        Method::PUT => MethodFilter::PUT,
        Method::PATCH => MethodFilter::PATCH,
        Method::DELETE => MethodFilter::DELETE,
        Method::OPTIONS => MethodFilter::OPTIONS,
        _ => MethodFilter::GET,
    }
}
