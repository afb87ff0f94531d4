//! The table of the ratchet, and its one law: it never goes back.

use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_000_000;
const NAMES: [&str; 2] = ["shop.example", "www.shop.example"];

fn leaf(issuer: &str, names: &[&str], not_after: i64) -> Leaf {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Leaf { issuer: issuer.into(), names, not_after, sha256: "of-secret".into() }
}

fn served(phase: Phase, sha256: &str) -> Served {
    Served {
        version: String::new(),
        phase,
        subject: String::new(),
        issuer: String::new(),
        key: String::new(),
        names: Vec::new(),
        not_before: 0,
        not_after: NOW + 1,
        sha256: sha256.into(),
    }
}

fn untrusted() -> Phase {
    Phase::Untrusted("unknown issuer".into())
}

/// Both names, with what is served at each.
fn site<'a>(leaf: Option<Leaf>, served: [Option<&'a Served>; 2]) -> Evidence<'a> {
    Evidence { names: NAMES.into_iter().zip(served).collect(), leaf, roots: StagingRoots::Known }
}

#[test]
fn a_fresh_site_begins_on_staging() {
    assert_eq!(issuer(None, &[site(None, [None, None])], NOW), Issuer::Staging);
    assert_eq!(issuer(None, &[], NOW), Issuer::Staging);
}

#[test]
fn issued_but_not_served_stays_on_staging() {
    let issued = || Some(leaf("letsencrypt-staging", &NAMES, NOW + 1));
    let traefiks = served(untrusted(), "of-traefik");
    let other = served(Phase::Staging, "of-another");
    let own = served(Phase::Staging, "of-secret");
    for at_names in [[None, None], [Some(&traefiks), Some(&traefiks)], [Some(&other), Some(&other)], [Some(&own), None]] {
        assert_eq!(issuer(Some("letsencrypt-staging"), &[site(issued(), at_names)], NOW), Issuer::Staging);
    }
}

#[test]
fn issued_and_served_for_every_name_is_promoted() {
    let own = served(Phase::Staging, "of-secret");
    let evidence = site(Some(leaf("letsencrypt-staging", &NAMES, NOW + 1)), [Some(&own), Some(&own)]);
    assert!(evidence.staging_is_verified(NOW));
    assert_eq!(issuer(Some("letsencrypt-staging"), &[evidence], NOW), Issuer::Production);
}

#[test]
fn an_expired_or_too_narrow_staging_certificate_proves_nothing() {
    let own = served(Phase::Staging, "of-secret");
    for leaf in [leaf("letsencrypt-staging", &NAMES, NOW), leaf("letsencrypt-staging", &NAMES[..1], NOW + 1), leaf("", &NAMES, NOW + 1)] {
        assert_eq!(issuer(Some("letsencrypt-staging"), &[site(Some(leaf), [Some(&own), Some(&own)])], NOW), Issuer::Staging);
    }
}

#[test]
fn an_untrusted_staging_chain_counts_only_where_no_roots_are_known_and_the_leaf_is_the_secrets() {
    let own = served(untrusted(), "of-secret");
    let other = served(untrusted(), "of-traefik");
    for (served, roots, expected) in [
        (&own, StagingRoots::Known, Issuer::Staging),
        (&own, StagingRoots::Unknown, Issuer::Production),
        (&other, StagingRoots::Unknown, Issuer::Staging),
    ] {
        let mut evidence = site(Some(leaf("letsencrypt-staging", &NAMES, NOW + 1)), [Some(served), Some(served)]);
        evidence.roots = roots;
        assert_eq!(issuer(None, &[evidence], NOW), expected);
    }
}

#[test]
fn an_uninstalled_release_takes_its_production_certificate_up_again() {
    assert_eq!(issuer(None, &[site(Some(leaf("letsencrypt-production", &NAMES, NOW + 1)), [None, None])], NOW), Issuer::Production);
    assert_eq!(issuer(None, &[site(Some(leaf("letsencrypt-production", &NAMES, NOW)), [None, None])], NOW), Issuer::Staging);
    assert_eq!(issuer(None, &[site(Some(leaf("letsencrypt-production", &NAMES[..1], NOW + 1)), [None, None])], NOW), Issuer::Staging);
}

#[test]
fn a_name_added_to_a_live_production_certificate_stays_on_production() {
    let narrow = Some(leaf("letsencrypt-production", &NAMES[..1], NOW + 1));
    assert_eq!(issuer(Some("letsencrypt-production"), &[site(narrow, [None, None])], NOW), Issuer::Production);
}

#[test]
fn every_site_of_a_release_must_be_ready() {
    let own = served(Phase::Production, "of-secret");
    let ready = site(None, [Some(&own), Some(&own)]);
    assert_eq!(issuer(None, std::slice::from_ref(&ready), NOW), Issuer::Production);
    assert_eq!(issuer(None, &[ready, site(None, [None, None])], NOW), Issuer::Staging);
}

#[test]
fn what_visitors_trust_stays_also_where_somebody_else_issued_it_and_a_name_or_a_site_is_new() {
    let stored = Some("letsencrypt-prod");
    let theirs = || Some(leaf("letsencrypt-prod", &NAMES[..1], NOW + 1));
    let (apex, traefiks) = (served(Phase::Production, "of-secret"), served(untrusted(), "of-traefik"));
    assert_eq!(issuer(stored, &[site(theirs(), [Some(&apex), Some(&traefiks)])], NOW), Issuer::Production);
    assert_eq!(issuer(stored, &[site(theirs(), [Some(&apex), None]), site(None, [None, None])], NOW), Issuer::Production);
    let anothers = served(Phase::Production, "of-another");
    assert_eq!(issuer(stored, &[site(theirs(), [Some(&anothers), None])], NOW), Issuer::Staging);
}

fn any_phase() -> impl Strategy<Value = Phase> {
    prop_oneof![Just(Phase::Production), Just(Phase::Staging), Just(untrusted())]
}

fn any_served() -> impl Strategy<Value = Option<Served>> {
    proptest::option::of((any_phase(), prop_oneof!["of-secret", "other"]).prop_map(|(phase, sha256)| served(phase, &sha256)))
}

fn any_leaf() -> impl Strategy<Value = Option<Leaf>> {
    let issuers = prop_oneof![Just("letsencrypt-staging"), Just("letsencrypt-production"), Just("")];
    proptest::option::of(
        (issuers, 0_usize..=2, NOW - 1..NOW + 2).prop_map(|(issuer, names, not_after)| leaf(issuer, &NAMES[..names], not_after)),
    )
}

type World = (Option<Leaf>, Option<Served>, Option<Served>, bool);

fn any_world() -> impl Strategy<Value = World> {
    (any_leaf(), any_served(), any_served(), any::<bool>())
}

fn look(stored: Option<&str>, (leaf, apex, www, known): &World) -> Issuer {
    let mut evidence = site(leaf.clone(), [apex.as_ref(), www.as_ref()]);
    evidence.roots = if *known { StagingRoots::Known } else { StagingRoots::Unknown };
    issuer(stored, &[evidence], NOW)
}

proptest! {
    /// A run gives the release what the ratchet says; whatever the world looks like afterwards, it only ever rises.
    #[test]
    fn never_goes_back(worlds in proptest::collection::vec(any_world(), 1..8)) {
        let mut stored = None;
        for world in &worlds {
            let next = look(stored.map(Issuer::name), world);
            prop_assert!(stored.is_none_or(|stored| stored <= next));
            stored = Some(next);
        }
    }

    /// Nothing but production itself, or a leaf in the Secret, leads to production.
    #[test]
    fn production_needs_proof((leaf, apex, www, known) in any_world()) {
        let on_production = [&apex, &www].iter().all(|served| served.as_ref().is_some_and(|served| served.phase == Phase::Production));
        if leaf.is_none() && !on_production {
            prop_assert_eq!(look(Some("letsencrypt-staging"), &(leaf, apex, www, known)), Issuer::Staging);
        }
    }
}
