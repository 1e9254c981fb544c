//! Who the consent is about, without ever saying it aloud.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A patient's identifier, as the source of the data writes it.
///
/// `Debug` and `Display` show only a fingerprint, such as `patient:9f2c01ab`: enough to follow one patient through the
/// log of one process, and useless outside it, because it is salted anew in each process. Serialising writes the
/// identifier in full: that is for storage, never for a log.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PatientId(Arc<str>);

impl PatientId {
    /// Takes the identifier as it is.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The identifier in full. The name is a warning: keep it out of logs, metrics and errors.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What may be shown of it: eight hexadecimal digits that stand for this patient until the process ends.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        static SALT: OnceLock<[u8; 32]> = OnceLock::new();
        // Identifiers are few and short: without a secret salt anyone could hash them all and look the patient up.
        let salt = SALT.get_or_init(rand::random);
        let digest = Sha256::new().chain_update(salt).chain_update(self.0.as_bytes()).finalize();
        digest[..4].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for PatientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "patient:{}", self.fingerprint())
    }
}

impl fmt::Debug for PatientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for PatientId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PatientId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
