//! Tree -> types. Serde stops at the first error, so each one is recorded, mended in the tree (a mistyped key gets the name that was meant,
//! other places a value of our own), and the tree is read again, until it fits.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::Inventory;
use super::problem::Flaws;
use super::suggest;
use super::wording;

/// More errors than any file has; a bound on the loop.
const MOST: usize = 2000;

/// Spans from here on are of values that we put in; no text is that long.
const OURS: usize = usize::MAX / 2;

/// Reads the tree. What does not fit goes to `flaws`; the inventory and the tree returned are mended in those places.
/// `None` if that was not possible.
pub(super) fn read<'i>(tree: DeTable<'i>, flaws: &mut Flaws) -> Option<(Inventory, DeTable<'i>)> {
    let mut mend = Mend { tree: DeValue::Table(tree), tried: BTreeMap::new() };
    for _ in 0..MOST {
        let DeValue::Table(root) = &mend.tree else { return None };
        match Inventory::deserialize(toml::Deserializer::from(Spanned::new(0..0, root.clone()))) {
            Ok(inventory) => return Some((inventory, root.clone())),
            Err(error) => mend.one(error.message(), error.span().unwrap_or(0..0), flaws)?,
        }
    }
    None
}

struct Mend<'i> {
    tree: DeValue<'i>,
    /// Of each stand-in, by where its span starts: how many kinds of value were tried.
    tried: BTreeMap<usize, usize>,
}

impl Mend<'_> {
    fn one(&mut self, message: &str, span: Range<usize>, flaws: &mut Flaws) -> Option<()> {
        let ours = span.start >= OURS;
        if let Some(key) = wording::unknown_key(message) {
            let known = wording::expected(message);
            let near = suggest::nearest(key, known.iter().copied());
            let section = self.section(&span).or(near.map(str::to_owned));
            flaws.error_at(span.clone(), section, format!("unknown key `{key}`"), suggest::cure(key, &known));
            return rename(&mut self.tree, &span, near).then_some(());
        }
        if let Some(key) = wording::missing_key(message) {
            if !ours {
                let section = if span == (0..0) { Some(key.to_owned()) } else { self.section(&span) };
                flaws.error_at(span.clone(), section, format!("`{key}` is missing"), wording::missing_cure(key));
            }
            let stand_in = self.stand_in();
            return insert(&mut self.tree, &(0..0), &span, key, stand_in).then_some(());
        }
        if !ours {
            let section = self.section(&span);
            let key = key_of(&self.tree, &span).unwrap_or_default();
            let (message, cure) = wording::misfit(&key, message);
            flaws.error_at(span.clone(), section, message, cure);
        }
        self.replace(span, wording::known_variant(message))
    }

    /// Puts the next kind of stand-in, `text` at first, where `span` is, or nothing at all when no kind is left.
    fn replace(&mut self, span: Range<usize>, text: &str) -> Option<()> {
        let kind = self.tried.get(&span.start).map_or(0, |tried| tried + 1);
        let mut fresh = self.stand_in();
        self.tried.insert(fresh.span().start, kind);
        *fresh.get_mut() = match kind {
            0 => DeValue::String(text.to_owned().into()),
            1 => DeValue::Array(Default::default()),
            2 => DeValue::Table(DeTable::new()),
            3 => DeValue::Integer(DeInteger::default()),
            4 => DeValue::Boolean(false),
            _ => return remove(&mut self.tree, &span).then_some(()),
        };
        swap(&mut self.tree, &span, &mut fresh).then_some(())
    }

    fn stand_in<'n>(&mut self) -> Spanned<DeValue<'n>> {
        let start = OURS + self.tried.len();
        self.tried.insert(start, 0);
        Spanned::new(start..start, DeValue::String("".into()))
    }

    /// The top-level key under which a span lies.
    fn section(&self, span: &Range<usize>) -> Option<String> {
        let root = self.tree.as_table()?;
        root.iter().find(|(_, value)| holds(value, span)).map(|(key, _)| key.get_ref().to_string())
    }
}

/// Whether a value, or a key or value in it, stands at `span`.
fn holds(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> bool {
    value.span() == *span
        || match value.get_ref() {
            DeValue::Table(table) => table.iter().any(|(key, value)| key.span() == *span || holds(value, span)),
            DeValue::Array(items) => items.iter().any(|item| holds(item, span)),
            _ => false,
        }
}

/// The nearest key above the value at `span`.
fn key_of(value: &DeValue<'_>, span: &Range<usize>) -> Option<String> {
    let table = match value {
        DeValue::Table(table) => table,
        DeValue::Array(items) => return items.iter().find_map(|item| key_of(item.get_ref(), span)),
        _ => return None,
    };
    table.iter().find(|(_, value)| holds(value, span)).map(|(key, value)| {
        let deeper = if value.span() == *span { None } else { key_of(value.get_ref(), span) };
        deeper.unwrap_or_else(|| key.get_ref().to_string())
    })
}

fn children<'v, 'i>(value: &'v mut DeValue<'i>) -> Vec<&'v mut Spanned<DeValue<'i>>> {
    match value {
        DeValue::Table(table) => table.iter_mut().map(|(_, value)| value).collect(),
        DeValue::Array(items) => items.iter_mut().collect(),
        _ => Vec::new(),
    }
}

/// Gives the key at `span` its meant name, or takes it out when there is none or that is taken.
fn rename(value: &mut DeValue<'_>, span: &Range<usize>, near: Option<&str>) -> bool {
    if let DeValue::Table(table) = value {
        let key = table.keys().find(|key| key.span() == *span).cloned();
        if let Some((key, value)) = key.and_then(|key| table.remove_entry(&key)) {
            if let Some(near) = near.filter(|near| !table.contains_key(*near)) {
                table.insert(Spanned::new(key.span(), near.to_owned().into()), value);
            }
            return true;
        }
    }
    children(value).into_iter().any(|child| rename(child.get_mut(), span, near))
}

/// Takes out the value at `span` with its key.
fn remove(value: &mut DeValue<'_>, span: &Range<usize>) -> bool {
    if let DeValue::Table(table) = value {
        let key = table.iter().find(|(_, value)| value.span() == *span).map(|(key, _)| key.clone());
        if let Some(key) = key {
            return table.remove(&key).is_some();
        }
    }
    children(value).into_iter().any(|child| remove(child.get_mut(), span))
}

/// Outermost first: a list of tables has the span of its first table.
fn swap<'i>(value: &mut DeValue<'i>, span: &Range<usize>, fresh: &mut Spanned<DeValue<'i>>) -> bool {
    children(value).into_iter().any(|child| {
        if child.span() == *span {
            std::mem::swap(child, fresh);
            return true;
        }
        swap(child.get_mut(), span, fresh)
    })
}

fn insert<'i>(value: &mut DeValue<'i>, own: &Range<usize>, span: &Range<usize>, key: &str, stand_in: Spanned<DeValue<'i>>) -> bool {
    if let DeValue::Table(table) = value
        && own == span
    {
        let at = stand_in.span();
        table.insert(Spanned::new(at, key.to_owned().into()), stand_in);
        return true;
    }
    for child in children(value) {
        let own = child.span();
        if insert(child.get_mut(), &own, span, key, stand_in.clone()) {
            return true;
        }
    }
    false
}
