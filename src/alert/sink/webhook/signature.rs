//! Signatures as Standard Webhooks says: HMAC-SHA256 over id, time and body.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::super::secret::Secret;

/// Base64 whose padding may have been lost on the way.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Length of a key, in bytes.
const LENGTH: std::ops::RangeInclusive<usize> = 24..=64;
/// Most keys.
const MOST: usize = 8;

/// The keys that a webhook is signed with. Two while one takes the place of the other: a receiver accepts either.
#[derive(Clone)]
pub struct SigningKeys(Vec<Zeroizing<Vec<u8>>>);

/// A text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not 1 to {MOST} signing keys, each whsec_ and the base64 of {} to {} random bytes, with spaces between; make one with: openssl rand -base64 32",
    LENGTH.start(),
    LENGTH.end()
)]
pub struct WrongKey;

impl SigningKeys {
    /// Reads keys, with white space or commas between them. `whsec_` in front may be left out.
    ///
    /// # Errors
    ///
    /// One is none, or there is none.
    pub fn parse(secret: &Secret) -> Result<Self, WrongKey> {
        let texts = secret.reveal().split([' ', '\t', '\n', '\r', ',']).filter(|it| !it.is_empty());
        let key = |text: &str| {
            let text = text.strip_prefix("whsec_").unwrap_or(text);
            let bytes = Zeroizing::new(LENIENT.decode(text).map_err(|_| WrongKey)?);
            if LENGTH.contains(&bytes.len()) { Ok(bytes) } else { Err(WrongKey) }
        };
        let keys: Vec<_> = texts.map(key).collect::<Result<_, _>>()?;
        if keys.is_empty() || keys.len() > MOST { Err(WrongKey) } else { Ok(Self(keys)) }
    }

    /// What goes into the header `webhook-signature`: a signature by each key.
    pub(super) fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        let signatures = self.0.iter().filter_map(|key| {
            // Any length will do for a key, so there is always a signature.
            let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
            mac.update(format!("{id}.{timestamp}.").as_bytes());
            mac.update(body);
            Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKeys({} …)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn keys(text: &str) -> Result<SigningKeys, WrongKey> {
        SigningKeys::parse(&Secret::new(text))
    }

    #[test]
    fn the_signature_is_the_one_in_the_specification() {
        let signed = keys(KEY).unwrap().sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_key_signs_while_they_are_rotated() {
        let both = format!("{KEY}\n whsec_{}", STANDARD.encode([7; 32]));
        let signed = keys(&both).unwrap().sign("a", 1, b"{}");
        let (one, two) = signed.split_once(' ').unwrap();
        assert!(one.starts_with("v1,") && two.starts_with("v1,") && one != two);
        assert_eq!(one, keys(KEY).unwrap().sign("a", 1, b"{}"));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        for text in
            ["", "  ", "whsec_", "password", "whsec_c2hvcnQ=", "whsec_not base64!", &format!("{KEY} x")]
        {
            let error = keys(text).unwrap_err().to_string();
            assert!(!error.contains("password") && !error.contains("c2hvcnQ"), "{error}");
        }
        assert!(keys(&format!("whsec_{}", STANDARD.encode([7; 65]))).is_err());
        assert!(keys(&[KEY; 9].join(" ")).is_err());
        assert!(keys(KEY.trim_start_matches("whsec_")).is_ok());
        assert!(!format!("{:?}", keys(KEY).unwrap()).contains("77"));
    }
}
