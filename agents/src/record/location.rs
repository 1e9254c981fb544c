//! Where a study takes place.

use serde::{Deserialize, Serialize};

use super::{Contact, lenient};

/// One site of a study.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Location {
    /// Name of the facility.
    pub facility: Option<String>,
    /// Recruitment status of this site.
    pub status: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State or province.
    pub state: Option<String>,
    /// Postal code.
    pub zip: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// Whom to ask at this site.
    #[serde(deserialize_with = "lenient::or_default")]
    pub contacts: Vec<Contact>,
    /// Where it is on the globe.
    #[serde(alias = "geoPoint")]
    pub geo_point: Option<GeoPoint>,
}

/// A point on the globe, in degrees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GeoPoint {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
}
