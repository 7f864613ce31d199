//! The functions that the fuzz targets in `/fuzz` reach beyond the public functions. Not an interface.

use http::HeaderMap;

use crate::{auth, error::Fail};

/// Client token and client secret of an HTTP Basic header, when there is one.
pub fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, Fail> {
    auth::basic_pair(headers)
}
