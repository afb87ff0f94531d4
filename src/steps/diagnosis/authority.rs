//! What a CA says, by the type of its problem (RFC 8555 §6.7), and what its silence means.

use crate::model::{Missing, OutsideQuestion, Question, RecordKind, Resolver, View, Why};

use super::super::challenge_probe::Authority;
use super::super::moment;
use super::super::problem;
use super::super::renewal::span;
use super::ask;
use super::case::Case;
use super::cause::Cure;
use super::issuer;
use crate::steps::object::text;

/// Why, and the cure, of a problem that needs no look at the way; none: it is no problem of a CA's, or one that the way explains.
pub fn of(said: &str, case: &Case<'_>) -> Option<(String, Cure)> {
    let known = |why: &str, cure: &str| Some((why.to_owned(), Cure::User(cure.to_owned())));
    match problem::kind(said)? {
        "rateLimited" => Some((format!("a limit of the CA is reached{}", limit(said)), limited(said, case))),
        "caa" => {
            let names = case.site.names.join(" and ");
            let issuer = if case.authority == Authority::LetsEncrypt { "letsencrypt.org" } else { "the name of your CA" };
            let cure = format!("add a record like `{}. CAA 0 issue \"{issuer}\"`", case.site.domain);
            Some((format!("a CAA record of {names} or of a domain above lets another CA issue only"), Cure::User(cure)))
        }
        "rejectedIdentifier" => {
            known("the CA issues no certificate for such a name", "use a public name that is yours; no address, no reserved domain")
        }
        "invalidContact" | "unsupportedContact" => known(
            "the CA does not take the e-mail address of the account",
            "set acme.email to an address that receives mail; then `bedplate bootstrap`",
        ),
        "externalAccountRequired" => known(
            "this CA wants an account that was made with it before",
            "bedplate makes no such accounts: use a CA without external account binding",
        ),
        "accountDoesNotExist" => Some(("the CA has forgotten the account, or is another one than before".into(), anew(case))),
        "userActionRequired" => known("the CA's terms have changed", "see the link in its message"),
        "orderNotReady" | "badNonce" | "serverInternal" => {
            Some(("that is the CA's own trouble".into(), Cure::Time("it is tried again; the CA's status page tells".into())))
        }
        _ => None,
    }
}

/// cert-manager makes an account when it finds no key of one.
fn anew(case: &Case<'_>) -> Cure {
    let key = issuer::of(case).ok().flatten().and_then(|issuer| text(issuer, "/spec/acme/privateKeySecretRef/name")).unwrap_or("NAME");
    let restart = "kubectl -n cert-manager rollout restart deployment cert-manager";
    Cure::User(format!("let cert-manager make another: kubectl -n cert-manager delete secret {key}; {restart}"))
}

/// Which limit, in words.
fn limit(said: &str) -> &'static str {
    let kinds = [
        ("already issued for this exact set", ": five certificates a week for the same names"),
        ("failed authorizations", ": five failed validations an hour for a name"),
        ("already issued for", ": fifty certificates a week for a domain"),
        ("new orders", ": three hundred orders in three hours for an account"),
    ];
    kinds.iter().find(|(words, _)| said.contains(words)).map_or("", |(_, limit)| limit)
}

/// Until when, as the CA says it.
fn limited(said: &str, case: &Case<'_>) -> Cure {
    let worse = "deleting the Secret or the Certificate only makes it worse";
    Cure::Time(match problem::retry_after(said) {
        Some(until) if until > case.now => {
            let at = moment::told(until, &case.seen);
            format!(
                "the CA takes the next order in {} (at {at}), and `bedplate bootstrap` asks for none before; {worse}",
                span(until - case.now)
            )
        }
        Some(_) => "the time that the CA named has passed: `bedplate bootstrap` asks anew".into(),
        None => format!("wait until the time that the CA names; {worse}"),
    })
}

/// The CA can't be reached: what cert-manager says of it, and whether it answers this machine. None: it does, and cert-manager says nothing.
pub fn silent(case: &Case<'_>, server: &str, message: &str) -> Option<(String, Cure)> {
    if let Some(why) = away(case) {
        let cure = match case.authority {
            Authority::LetsEncrypt => "letsencrypt.status.io tells of outages, and when they end; cert-manager tries again by itself",
            Authority::Own => "let it run and answer; cert-manager tries again by itself",
        };
        return Some((format!("{server} does not answer this machine either: {why}"), Cure::User(cure.into())));
    }
    let words = [
        "connection refused",
        "no such host",
        "server misbehaving",
        "i/o timeout",
        "deadline exceeded",
        "Client.Timeout",
        "network is unreachable",
    ];
    let word = words.iter().find(|word| message.contains(**word))?;
    let why = format!("{server} answers this machine, and not cert-manager's pods ({word})");
    let cure = "let pods out to it: the host's firewall and forwarding, egress policies of namespace cert-manager, the cluster's DNS";
    Some((why, Cure::User(cure.into())))
}

/// Why the CA's directory does not answer this machine; none: it does, whatever it says, or it was not asked.
fn away(case: &Case<'_>) -> Option<String> {
    let server = ask::server(case)?;
    let Some(address) = ask::address(case, &server) else {
        return unresolved(&case.seen, server.host_str()?);
    };
    match case.seen.exchange(server.as_str(), address) {
        Err(Missing { why: Why::Unreadable(why), question: Question::Outside(OutsideQuestion::Visit(_)) })
            if !why.contains("certificate") =>
        {
            Some(why)
        }
        _ => None,
    }
}

fn unresolved(seen: &View<'_>, name: &str) -> Option<String> {
    match seen.records(name, RecordKind::A, Resolver::System) {
        Ok(None) => Some(format!("{name} does not exist")),
        Ok(Some(records)) if records.is_empty() => Some(format!("{name} has no address")),
        Err(Missing { why: Why::Unreadable(why), .. }) => Some(why),
        _ => None,
    }
}

/// Where cert-manager tells the rest.
pub fn ask_the_log() -> Cure {
    Cure::User("see what cert-manager says: kubectl -n cert-manager logs deployment/cert-manager --since 10m".into())
}
