//! Places in the inventory's text, found by key: types stay plain, and lints can still point.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// A place in the text. Going to a key that is not there stays at the innermost place that is, so that "missing" points at its table.
#[derive(Clone, Copy)]
pub(super) struct Spot<'t> {
    found: Found<'t>,
    start: usize,
    end: usize,
    section: Option<&'t str>,
}

#[derive(Clone, Copy)]
enum Found<'t> {
    Table(&'t DeTable<'t>),
    Value(&'t DeValue<'t>),
    Nothing,
}

impl<'t> Spot<'t> {
    /// The whole text.
    pub(super) fn root(tree: &'t DeTable<'t>) -> Self {
        Self { found: Found::Table(tree), start: 0, end: 0, section: None }
    }

    /// The value of a key.
    pub(super) fn key(self, key: &str) -> Self {
        let Some((name, value)) = self.table().and_then(|table| table.get_key_value(key)) else {
            return Self { found: Found::Nothing, ..self };
        };
        self.at(Found::Value(value.get_ref()), value.span(), self.section.or(Some(name.get_ref())))
    }

    /// A key itself.
    pub(super) fn name(self, key: &str) -> Self {
        let Some((name, _)) = self.table().and_then(|table| table.get_key_value(key)) else {
            return Self { found: Found::Nothing, ..self };
        };
        self.at(Found::Nothing, name.span(), self.section.or(Some(name.get_ref())))
    }

    /// The n-th item of a list, counted from 0.
    pub(super) fn item(self, index: usize) -> Self {
        let item = match self.found {
            Found::Value(DeValue::Array(items)) => items.get(index),
            _ => None,
        };
        match item {
            Some(value) => self.at(Found::Value(value.get_ref()), value.span(), self.section),
            None => Self { found: Found::Nothing, ..self },
        }
    }

    /// The items of a list, or none.
    pub(super) fn items(self) -> impl Iterator<Item = Self> {
        let count = match self.found {
            Found::Value(DeValue::Array(items)) => items.len(),
            _ => 0,
        };
        (0..count).map(move |index| self.item(index))
    }

    /// Whether the key by which one came here exists.
    pub(super) fn exists(self) -> bool {
        !matches!(self.found, Found::Nothing)
    }

    /// What the user wrote, if it is text.
    pub(super) fn text(self) -> &'t str {
        match self.found {
            Found::Value(value) => value.as_str().unwrap_or_default(),
            _ => "",
        }
    }

    /// Bytes of the text.
    pub(super) fn span(self) -> Range<usize> {
        self.start..self.end
    }

    /// The top-level key under which it lies.
    pub(super) fn section(self) -> Option<&'t str> {
        self.section
    }

    fn table(self) -> Option<&'t DeTable<'t>> {
        match self.found {
            Found::Table(table) => Some(table),
            Found::Value(value) => value.as_table(),
            Found::Nothing => None,
        }
    }

    fn at(self, found: Found<'t>, span: Range<usize>, section: Option<&'t str>) -> Self {
        Self { found, start: span.start, end: span.end, section }
    }
}
