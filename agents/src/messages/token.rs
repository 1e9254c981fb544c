//! The secret that lets messages in.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Shortest token that is one.
const SHORTEST: usize = 16;
/// Longest token, so that a header can hold it.
const LONGEST: usize = 4096;

/// A bearer token, kept as its digest. No form of it shows the token.
#[derive(Clone)]
pub struct Token {
    digest: [u8; 32],
}

/// Why a text is no token. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFault {
    /// Whoever guesses gets in.
    #[error("the token is shorter than 16 bytes; make one with `openssl rand -hex 32`")]
    Short,
    /// A header could not hold it.
    #[error("the token is longer than 4096 bytes")]
    Long,
    /// A header could not hold it.
    #[error(
        "the token has white space, control characters or letters outside ASCII, which a header cannot hold"
    )]
    Unsendable,
}

impl Token {
    /// Takes a secret.
    ///
    /// # Errors
    ///
    /// [`TokenFault`] if it is no good as one.
    pub fn new(secret: &str) -> Result<Self, TokenFault> {
        match secret.len() {
            length if length < SHORTEST => Err(TokenFault::Short),
            length if length > LONGEST => Err(TokenFault::Long),
            _ if !secret.bytes().all(|byte| byte.is_ascii_graphic()) => Err(TokenFault::Unsendable),
            _ => Ok(Self { digest: Sha256::digest(secret.as_bytes()).into() }),
        }
    }

    /// Whether this is it. Takes as long for a token that is nearly right as for any other of its length: digests are
    /// compared, every byte of them.
    #[must_use]
    pub fn is(&self, presented: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(presented).into();
        self.digest.ct_eq(&digest).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_itself_and_nothing_else_and_does_not_show() {
        let token = Token::new("0123456789abcdef").unwrap();
        assert!(token.is(b"0123456789abcdef"));
        for wrong in ["", "0123456789abcde", "0123456789abcdeg", "0123456789abcdef "] {
            assert!(!token.is(wrong.as_bytes()), "{wrong}");
        }
        assert_eq!(format!("{token:?}"), "Token(..)");
    }

    #[test]
    fn what_guesses_find_or_headers_cannot_hold_is_no_token() {
        assert_eq!(Token::new("secret").unwrap_err(), TokenFault::Short);
        assert_eq!(Token::new(&"a".repeat(5000)).unwrap_err(), TokenFault::Long);
        assert_eq!(Token::new("0123456789 abcdef").unwrap_err(), TokenFault::Unsendable);
    }
}
