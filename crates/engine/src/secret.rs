//! Secrets that bearers show: random, shown once, stored as their hash.
//!
//! A token names the business it belongs to in the clear, so that it is looked up in that business and nowhere else:
//! `bk_<business>_<secret>` for staff, `bm_<business>_<secret>` for one booking.

use std::fmt::Write as _;

use domain::id::{BusinessId, Id};
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Staff.
    Access,
    /// One booking.
    Manage,
}

impl TokenKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Access => "bk",
            Self::Manage => "bm",
        }
    }
}

/// SHA-256. The secrets hashed here have 256 random bits, so a slow hash would buy nothing.
pub(crate) fn hash(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// 32 random bytes of the operating system.
pub(crate) fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Error::Fault(format!("no randomness: {error}")))?;
    Ok(bytes)
}

/// The token of this kind and business with this secret.
pub(crate) fn token(kind: TokenKind, business: BusinessId, secret: &[u8]) -> String {
    let business = business.to_string();
    let business = business.strip_prefix("biz_").unwrap_or(&business);
    format!("{}_{business}_{}", kind.prefix(), hex(secret))
}

/// Kind, business and hash of a token; none for what cannot be one. The hash is of the whole text.
pub(crate) fn read_token(text: &str) -> Option<(TokenKind, BusinessId, Vec<u8>)> {
    let mut parts = text.splitn(3, '_');
    let kind = match parts.next()? {
        "bk" => TokenKind::Access,
        "bm" => TokenKind::Manage,
        _ => return None,
    };
    let business = format!("{}_{}", BusinessId::PREFIX, parts.next()?)
        .parse()
        .ok()?;
    parts.next().filter(|secret| secret.len() == 64)?;
    Some((kind, business, hash(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_business_and_nothing_else_is_one() {
        let business = BusinessId::from_uuid(uuid::Uuid::now_v7());
        let text = token(TokenKind::Access, business, &random().unwrap());
        let (kind, found, _) = read_token(&text).unwrap();
        assert_eq!((kind, found), (TokenKind::Access, business));
        for wrong in [
            "",
            "bk",
            "bk_x_y",
            "xx_01jd6y7t3hfb8vqx6p0n2c4m5k_00",
            &text[..text.len() - 1],
        ] {
            assert!(read_token(wrong).is_none(), "{wrong}");
        }
    }
}
