//! Files on the operator's disk that the inventory names.

use std::path::Path;

use crate::inventory::Inventory;
use crate::inventory::problem::Flaws;
use crate::inventory::resolve::is_folder;
use crate::inventory::tree::Spot;

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    if is_folder(&inventory.source) && !Path::new(&inventory.source).is_dir() {
        missing(root.key("source"), "`source` names a folder that is not there", flaws);
    }
    for (host, spot) in inventory.hosts.iter().zip(root.key("hosts").items()) {
        if let Some(path) = &host.identity_file {
            file(path, "`identity_file`", spot.key("identity_file"), flaws);
        }
    }
    if let Some(acme) = &inventory.acme {
        for (phase, server) in [("staging", &acme.staging), ("production", &acme.production)] {
            let spot = root.key("acme").key(phase);
            for (key, path) in [("server_ca", &server.server_ca), ("roots", &server.roots)] {
                if let Some(path) = path {
                    pem(path, key, spot.key(key), flaws);
                }
            }
        }
    }
    for (site, spot) in super::sites(inventory, root) {
        for (key, path) in [("certificate_file", &site.certificate_file), ("ca_file", &site.ca_file)] {
            if let Some(path) = path {
                pem(path, key, spot.key(key), flaws);
            }
        }
        if let Some(path) = &site.key_file {
            file(path, "`key_file`", spot.key("key_file"), flaws);
        }
    }
    for (secret, spot) in super::placed(&inventory.secrets, root.key("secrets"), root) {
        for (key, path) in &secret.files {
            let spot = spot.key("files").key(key);
            file(path, &format!("`{key}`"), spot, flaws);
            if path.is_file() && path.metadata().is_ok_and(|file| file.len() == 0) {
                flaws.error(spot, format!("`{key}`: {} is empty", spot.text()), "name a file with what the pods are to get");
            }
        }
    }
    for (name, image) in &inventory.images {
        // What is built need not be there yet.
        let Some(path) = image.archive.as_ref().filter(|_| image.build.is_none()) else { continue };
        let spot = root.key("images").key(name);
        let spot = if spot.key("archive").exists() { spot.key("archive") } else { spot };
        // An OCI layout is a folder with this file (image-spec: image-layout).
        if path.is_dir() && !path.join("index.json").is_file() {
            flaws.error(
                spot,
                format!("image `{name}`: the folder {} is no OCI layout: it has no index.json", spot.text()),
                "name an OCI folder or a tar",
            );
        } else if !path.exists() {
            let message = format!("image `{name}`: {} is not there", spot.text());
            flaws.error(spot, message, "build it first, e.g. `docker save -o FILE IMAGE`; paths are relative to the inventory");
        }
    }
}

fn pem(path: &Path, key: &str, spot: Spot<'_>, flaws: &mut Flaws) {
    if !path.is_file() {
        missing(spot, &format!("`{key}`: {} is not there", spot.text()), flaws);
    } else if !std::fs::read_to_string(path).is_ok_and(|text| text.contains("-----BEGIN CERTIFICATE-----")) {
        flaws.error(spot, format!("`{key}`: {} holds no certificate", spot.text()), "it must be a PEM file");
    }
}

fn file(path: &Path, what: &str, spot: Spot<'_>, flaws: &mut Flaws) {
    if !path.is_file() {
        missing(spot, &format!("{what}: {} is not there", spot.text()), flaws);
    }
}

fn missing(spot: Spot<'_>, message: &str, flaws: &mut Flaws) {
    flaws.error(spot, message, "correct the path; it is relative to the inventory");
}
