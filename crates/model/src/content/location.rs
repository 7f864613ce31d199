//! A place on the map.

use serde::Serialize;

use crate::{Error, Result};

/// In characters; what phones show in one bubble.
const NAME_MOST: usize = 1_000;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Location {
    /// Degrees, -90 to 90.
    pub latitude: f64,
    /// Degrees, -180 to 180.
    pub longitude: f64,
    pub name: Option<String>,
    pub address: Option<String>,
}

impl Location {
    /// A blank name or address is none.
    ///
    /// # Errors
    /// For the field that does not fit: `latitude`, `longitude`, `name` or `address`.
    pub fn new(
        latitude: f64,
        longitude: f64,
        name: Option<String>,
        address: Option<String>,
    ) -> Result<Self> {
        // A number that is none is in no range.
        if !(-90.0..=90.0).contains(&latitude) {
            let text = "latitude is in degrees, -90 to 90";
            return Err(Error::field("latitude", text));
        }
        if !(-180.0..=180.0).contains(&longitude) {
            let text = "longitude is in degrees, -180 to 180";
            return Err(Error::field("longitude", text));
        }
        Ok(Self {
            // The same place for -0 and 0.
            latitude: latitude + 0.0,
            longitude: longitude + 0.0,
            name: line("name", "name has at most 1000 characters", name)?,
            address: line("address", "address has at most 1000 characters", address)?,
        })
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.name.as_deref().or(self.address.as_deref())
    }
}

fn line(field: &'static str, long: &'static str, text: Option<String>) -> Result<Option<String>> {
    let text = text.map(|text| text.trim().to_owned());
    let text = text.filter(|text| !crate::text::is_blank(text));
    match &text {
        Some(text) if text.chars().count() > NAME_MOST => Err(Error::field(field, long)),
        _ => Ok(text),
    }
}
