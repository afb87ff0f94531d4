//! `[[jwt_keys]]`: who signs, who verifies, and what a rotation needs to know.

use std::collections::BTreeSet;

use super::names::{label, namespace};
use crate::inventory::problem::Flaws;
use crate::inventory::tree::Spot;
use crate::inventory::{Algorithm, Inventory, JwtKeys, duration, grammar};

/// An annotation of a pod template names what its pods read (`Restart::annotation`), and its name can't be longer.
const LONGEST: usize = 63;

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    for (keys, spot) in inventory.jwt_keys.iter().zip(root.key("jwt_keys").items()) {
        size(keys, spot, flaws);
        workloads(keys, spot, flaws);
        split(keys, spot, flaws);
    }
    twice(inventory, root, flaws);
}

/// A ConfigMap that two tables write: each would undo the other's work.
fn twice(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    let mut seen = BTreeSet::new();
    for (keys, spot) in inventory.jwt_keys.iter().zip(root.key("jwt_keys").items()) {
        let Some(public) = &keys.public else { continue };
        let own: BTreeSet<_> = keys.namespaces().map(|namespace| (namespace, public)).collect();
        if let Some((namespace, _)) = own.intersection(&seen).next() {
            let message = format!("ConfigMap `{public}` in namespace `{namespace}` is written by two tables");
            flaws.error(spot.key("public"), message, "give each its own name");
        }
        seen.extend(own);
    }
}

fn size(keys: &JwtKeys, spot: Spot<'_>, flaws: &mut Flaws) {
    match keys.bits {
        Some(_) if keys.algorithm != Algorithm::Rs256 => {
            let message = format!("`bits` is for RS256: a key for {} is always of one size", keys.kind().algorithm());
            flaws.error(spot.key("bits"), message, "take it out");
        }
        Some(bits) if ![2048, 3072, 4096].contains(&bits) => {
            flaws.error(spot.key("bits"), format!("an RSA key can't have {bits} bits here"), "write 2048, 3072 or 4096");
        }
        _ => {}
    }
}

fn workloads(keys: &JwtKeys, spot: Spot<'_>, flaws: &mut Flaws) {
    if let Some(signer) = &keys.signer {
        label("signer", signer, spot.key("signer"), flaws);
    }
    for (written, (home, name), spot) in
        keys.verifiers.iter().zip(keys.readers()).zip(spot.key("verifiers").items()).map(|((a, b), c)| (a, b, c))
    {
        label("verifier", name, spot, flaws);
        namespace(home, spot, flaws);
        if keys.public.is_none() && home != keys.namespace {
            let message = format!("verifier `{written}` runs in another namespace, where Secret `{}` can't be read", keys.secret);
            flaws.error(spot, message, "name a ConfigMap in `public`, which is written there too");
        }
    }
    if keys.secret.len() > LONGEST && (keys.signer.is_some() || !keys.verifiers.is_empty()) {
        let message = format!("Secret `{}` can't be named to the workloads that read it", keys.secret);
        flaws.error(spot.key("secret"), message, format!("write a name of {LONGEST} characters at most"));
    }
}

fn split(keys: &JwtKeys, spot: Spot<'_>, flaws: &mut Flaws) {
    let lifetime = keys.token_lifetime.as_deref();
    if lifetime.is_some_and(|text| duration(text).is_none()) {
        let message = format!("`{}` is no duration", lifetime.unwrap_or_default());
        flaws.error(spot.key("token_lifetime"), message, "write e.g. \"15m\" or \"1h\"");
    }
    let Some(public) = &keys.public else { return };
    if let Err(why) = grammar::subdomain(public).and_then(|()| grammar::value(public)) {
        flaws.error(spot.key("public"), format!("ConfigMap name `{public}` {why}"), "write a name such as \"jwt-public\"");
    }
    if keys.signer.is_none() {
        flaws.error(spot.key("public"), "`public` splits the pair, and nobody is said to sign", "name the workload that signs in `signer`");
    }
    if keys.verifiers.is_empty() {
        let message = "`public` is for those who verify, and nobody is said to";
        flaws.error(spot.key("public"), message, "name the workloads that read it in `verifiers`: a new key signs once they know it");
    }
    if lifetime.is_none() {
        let message = "with `public` keys can be rotated, and nothing says how long tokens of the old one are valid";
        flaws.error(spot.key("public"), message, "add `token_lifetime`, that of the longest one, e.g. \"1h\"");
    }
}
