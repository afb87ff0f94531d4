//! What a CA says when it refuses (RFC 8555 §6.7), as cert-manager passes it on.

const PROBLEM: &str = "urn:ietf:params:acme:error:";

/// `connection`, `rateLimited`, …; none: no CA speaks.
pub fn kind(said: &str) -> Option<&str> {
    let (_, rest) = said.split_once(PROBLEM)?;
    Some(rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default())
}

/// Until when a limit holds, seconds since the epoch: `retry after 2026-01-02 03:04:05 UTC` (contract §4.6).
pub fn retry_after(said: &str) -> Option<i64> {
    let (_, rest) = said.split_once("retry after ")?;
    let time = format!("{}Z", rest.get(..19)?.replace(' ', "T"));
    time.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_names_its_end() {
        let said = "429 urn:ietf:params:acme:error:rateLimited: too many failed authorizations (5) for \"shop.example\" in the last 1h0m0s, \
                    retry after 1970-01-01 00:10:00 UTC: see https://letsencrypt.org/docs/rate-limits/";
        assert_eq!((kind(said), retry_after(said)), (Some("rateLimited"), Some(600)));
        assert_eq!((kind("connection refused"), retry_after("retry after a while")), (None, None));
    }
}
