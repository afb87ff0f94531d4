//! The keys that a live Secret holds, beside one another while they are rotated.

use super::pair::Private;
use crate::jwk::PublicKey;
use crate::model::{JWT_NEXT, JWT_OLD, JWT_PRIVATE, LiveSecret, WITHDRAWN_AFTER};

/// Of a Secret whose keys can all be read.
pub struct Ring {
    /// The key that signs.
    pub signing: Private,
    /// The key that will.
    pub next: Option<Private>,
    /// The key that did.
    pub old: Option<Old>,
}

/// A key that signs no more; tokens that it signed may be out there.
pub struct Old {
    /// Its public half.
    pub public: PublicKey,
    /// The same as SPKI PEM.
    pub pem: String,
    /// From when on no token of it is valid, seconds since the epoch; none: the signer may still use it.
    pub until: Option<i64>,
}

/// Why a ring can't be read.
pub struct Unread {
    /// Which key of the Secret.
    pub key: &'static str,
    /// Why, without a word of its content.
    pub why: &'static str,
}

impl Ring {
    /// Reads it.
    ///
    /// # Errors
    /// What can't be read.
    pub fn of(live: &LiveSecret) -> Result<Self, Unread> {
        let private = |key: &'static str| {
            let parsed = live.data.get(key).map(|pem| Private::parse(pem).map_err(|why| Unread { key, why }));
            parsed.transpose()
        };
        let signing = private(JWT_PRIVATE)?.ok_or(Unread { key: JWT_PRIVATE, why: "it is gone" })?;
        let old = live.data.get(JWT_OLD).map(|pem| {
            let public = PublicKey::of_pem(pem.expose()).ok_or(Unread { key: JWT_OLD, why: "it is no public key in PEM" })?;
            let until = live.annotations.get(WITHDRAWN_AFTER).map(|text| text.parse::<jiff::Timestamp>()).transpose();
            let until = until.map_err(|_| Unread { key: JWT_OLD, why: "the time in its annotation is none" })?;
            let pem = pem.expose_str().ok_or(Unread { key: JWT_OLD, why: "it is no text" })?.to_owned();
            Ok(Old { public, pem, until: until.map(jiff::Timestamp::as_second) })
        });
        Ok(Self { signing, next: private(JWT_NEXT)?, old: old.transpose()? })
    }

    /// The public keys by which tokens are verified at `now`, the one that signs first, each with its PEM.
    pub fn verifying(&self, now: i64) -> Vec<(&PublicKey, &str)> {
        let old = self.old.as_ref().filter(|old| old.until.is_none_or(|until| now < until));
        let pairs = [Some(&self.signing), self.next.as_ref()].into_iter().flatten();
        pairs.map(|pair| (&pair.public, pair.public_pem.as_str())).chain(old.map(|old| (&old.public, old.pem.as_str()))).collect()
    }

    /// What verifiers are told of them.
    pub fn revision(&self, now: i64) -> String {
        self.verifying(now).iter().map(|(key, _)| key.kid()).collect::<Vec<_>>().join(".")
    }
}
