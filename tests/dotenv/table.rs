//! `cases.toml`: how `.env` files are read, and where that differs from compose.

use std::collections::BTreeMap;

use bedplate::inventory::env_file::{Refused, Values, read};
use bedplate::model::Secret;
use serde::Deserialize;

/// What was read.
pub type Plain = BTreeMap<String, String>;

/// One reading.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    /// Texts, later ones over earlier ones.
    pub files: Vec<String>,
    /// What is read.
    pub values: Option<Plain>,
    /// Why and where it is refused: `word line:column`.
    pub refused: Option<String>,
    /// Why bedplate refuses what compose reads.
    pub differs: Option<String>,
    /// What compose reads then.
    pub compose: Option<Plain>,
}

/// All of them.
pub fn cases() -> Vec<Case> {
    #[derive(Deserialize)]
    struct Table {
        case: Vec<Case>,
    }
    toml::from_str::<Table>(include_str!("cases.toml")).expect("the table is TOML").case
}

/// What bedplate makes of the files.
pub fn ours(files: &[String]) -> Result<Plain, Vec<Refused>> {
    let values = files.iter().try_fold(Values::new(), |values, text| read(text, values))?;
    let text = |value: &Secret| value.expose_str().expect("it came out of text").to_owned();
    Ok(values.iter().map(|(key, value)| (key.clone(), text(value))).collect())
}
