//! What is pushed one after the other: from a host that has nothing of it.

use std::path::PathBuf;

use anyhow::Result;

use super::ground::NEAR;
use super::make::{LOWER, Maker, TOP, packed};

/// Bytes a second of a thin line: 2 Mbps.
pub const THIN: u64 = 250_000;

/// Pushes that build upon each other.
pub struct Story {
    /// Of the line, milliseconds.
    pub rtt: u8,
    /// Of the line, once something is measured.
    pub rate: Option<u64>,
    pub parts: Vec<Part>,
}

/// One push.
pub struct Part {
    /// Its row; none: it is not measured.
    pub id: Option<&'static str>,
    pub work: String,
    pub archive: PathBuf,
    /// The least that must go over the line.
    pub floor: Floor,
    /// Whether others do the same, or what they would send is told by `whole`.
    pub whole: Option<f64>,
}

/// The least.
#[derive(Clone, Copy)]
pub enum Floor {
    /// So many bytes.
    Bytes(f64),
    /// What a login alone takes.
    Login,
}

fn unmeasured(archive: PathBuf) -> Part {
    Part { id: None, work: String::new(), archive, floor: Floor::Login, whole: None }
}

/// An image pushed, pushed again, and one of its layers changed. The lower layers measure `lower` each.
pub fn image(maker: &Maker, ids: [&'static str; 3], lower: &[usize], rate: Option<u64>) -> Result<Story> {
    let mut layers = Vec::new();
    let mut from = 0;
    for size in lower {
        layers.push(maker.slice(from, *size)?);
        from += size;
    }
    let tops = [maker.slice(7_000_000, TOP)?, maker.slice(17_000_000, TOP)?];
    let with = |top: &[u8], name: &str| {
        let layers: Vec<&[u8]> = layers.iter().map(Vec::as_slice).chain([top]).collect();
        maker.image(name, &layers)
    };
    let (first, changed) = (with(&tops[0], &format!("{}.tar", ids[0]))?, with(&tops[1], &format!("{}.tar", ids[2]))?);
    let megabytes = (lower.iter().sum::<usize>() + TOP) / 1_000_000;
    let all = layers.iter().try_fold(packed(&tops[0], None)?, |sum, layer| Ok::<_, anyhow::Error>(sum + packed(layer, None)?))?;
    let part =
        |at: usize, work: String, archive: &PathBuf, floor| Part { id: Some(ids[at]), work, archive: archive.clone(), floor, whole: None };
    let image = format!("an image of {megabytes} MB in {} layers, of slices of a Go program", lower.len() + 1);
    let parts = vec![
        part(0, format!("{image}: the first push; floor: zstd -3 of it"), &first, Floor::Bytes(all)),
        part(1, format!("{image}: unchanged; floor: a login that does nothing"), &first, Floor::Login),
        part(2, format!("{image}: a layer of 5 MB is another; floor: zstd -3 of it"), &changed, Floor::Bytes(packed(&tops[1], None)?)),
    ];
    Ok(Story { rtt: NEAR, rate, parts })
}

/// A large image.
pub fn large(maker: &Maker) -> Result<Story> {
    image(maker, ["P4-first", "P4-same", "P4-changed"], &[LOWER; 3], None)
}

/// A smaller one, for a thin line.
pub fn small(maker: &Maker) -> Result<Story> {
    image(maker, ["P4b-first", "P4b-same", "P4b-changed"], &[15_000_000], Some(THIN))
}

/// One file edited, every date new.
pub fn file(maker: &Maker, id: &'static str, rate: Option<u64>) -> Result<Story> {
    let (old, new) = (maker.sources(1_000_000_000, "")?, maker.sources(1_000_000_777, "// one line more\n")?);
    let work = format!("one file edited in a layer of {} MB of sources, every date new", new.len() / 1_000_000);
    within(maker, id, rate, &work, [&old, &new])
}

/// A program built anew.
pub fn binary(maker: &Maker, id: &'static str, rate: Option<u64>) -> Result<Story> {
    let (old, new) = (maker.binary(false)?, maker.binary(true)?);
    let work = format!("a stripped Go program of {} MB, built anew with a line more", new.len() / 1_000_000);
    within(maker, id, rate, &work, [&old, &new])
}

fn within(maker: &Maker, id: &'static str, rate: Option<u64>, work: &str, [old, new]: [&[u8]; 2]) -> Result<Story> {
    let part = Part {
        id: Some(id),
        work: format!("{work}; floor: zstd -3 --patch-from by hand; whole: zstd -3 of the layer"),
        archive: maker.image(&format!("{id}.tar"), &[new])?,
        floor: Floor::Bytes(packed(new, Some(old))?),
        whole: Some(packed(new, None)?),
    };
    Ok(Story { rtt: NEAR, rate, parts: vec![unmeasured(maker.image(&format!("{id}-old.tar"), &[old])?), part] })
}
