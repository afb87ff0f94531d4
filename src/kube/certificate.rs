//! Certificates for names that no public CA serves, made in memory: a leaf, and a CA for it alone. The CA's key signs once and is forgotten, and
//! the CA is good for the leaf's names only: whoever trusts it trusts nothing else.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};

use crate::model::Secret;

/// Days. Apple's systems take 825 at most from a CA that their user trusts.
const LIFETIME: i64 = 730;
/// Characters of a name that stand in the CA's; all of it may have 64 (RFC 5280 A.1).
const SHOWN: usize = 40;

/// What goes into the Secret.
pub struct Made {
    /// The leaf, then its CA; PEM.
    pub chain: Secret,
    /// The leaf's key, PKCS#8 PEM.
    pub key: Secret,
    /// The CA, PEM.
    pub ca: Secret,
}

/// Makes them for `names`, from the day before `now`: visitors' clocks may be behind.
///
/// # Errors
/// A name that is none, or the crypto library refused.
pub fn make(names: &[String], now: Timestamp) -> Result<Made, String> {
    let midnight = |(year, month, day)| date_time_ymd(year, month, day);
    let (begins, ends) = (midnight(day(now, -1)?), midnight(day(now, LIFETIME)?));
    let first = names.first().ok_or("it is for no name")?;
    let told = |error: rcgen::Error| error.to_string();
    let key = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(told);

    let mut ca = CertificateParams::default();
    (ca.not_before, ca.not_after) = (begins, ends);
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let permitted_subtrees = names.iter().cloned().map(GeneralSubtree::DnsName).collect();
    ca.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    let shown: String = first.chars().take(SHOWN).collect();
    let today = now.to_zoned(TimeZone::UTC).date();
    ca.distinguished_name = DistinguishedName::new();
    ca.distinguished_name.push(DnType::CommonName, format!("bedplate {today} {shown}"));
    let ca = CertifiedIssuer::self_signed(ca, key()?).map_err(told)?;

    let mut leaf = CertificateParams::new(names.to_vec()).map_err(told)?;
    (leaf.not_before, leaf.not_after) = (begins, ends);
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    leaf.distinguished_name = DistinguishedName::new();
    leaf.distinguished_name.push(DnType::CommonName, shown);
    let own = key()?;
    let leaf = leaf.signed_by(&own, &ca).map_err(told)?;
    Ok(Made { chain: Secret::new(leaf.pem() + &ca.pem()), key: Secret::new(own.serialize_pem()), ca: Secret::new(ca.pem()) })
}

/// Year, month and day so many days from now, which is how rcgen takes a time.
fn day(now: Timestamp, days: i64) -> Result<(i32, u8, u8), String> {
    let date = now.to_zoned(TimeZone::UTC).date().checked_add(days.days()).map_err(|error| error.to_string())?;
    let small = |number: i8| u8::try_from(number).map_err(|error| error.to_string());
    Ok((date.year().into(), small(date.month())?, small(date.day())?))
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
