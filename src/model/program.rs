//! Programs of the operator's machine that say a value.

use std::fmt;
use std::path::PathBuf;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A program and its arguments, run without a shell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "Vec<String>")]
pub struct Program {
    /// Its name or path first.
    pub command: Vec<String>,
    /// Where it runs; empty: wherever bedplate does.
    pub folder: PathBuf,
}

impl From<Vec<String>> for Program {
    fn from(command: Vec<String>) -> Self {
        Self { command, folder: PathBuf::new() }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.command.join(" "))
    }
}

/// What is read as a `.env` file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EnvSource {
    /// A file: `".env"`.
    File(PathBuf),
    /// What a program says, which may have decrypted it: `{ command = ["sops", "decrypt", "prod.env"] }`.
    Program(Program),
}

impl fmt::Display for EnvSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Program(program) => write!(f, "`{program}`"),
        }
    }
}

impl<'de> Deserialize<'de> for EnvSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Source;
        impl<'de> Visitor<'de> for Source {
            type Value = EnvSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path or a command")
            }

            fn visit_str<E>(self, path: &str) -> Result<Self::Value, E> {
                Ok(EnvSource::File(path.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Self::Value, A::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Table {
                    command: Program,
                }
                let table = Table::deserialize(MapAccessDeserializer::new(table))?;
                Ok(EnvSource::Program(table.command))
            }
        }
        deserializer.deserialize_any(Source)
    }
}
