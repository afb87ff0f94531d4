//! Warnings and manual work of a run, kept until its end: a run that ends well tells them among its findings, one that fails here, right
//! before what failed.

use super::lines::place;
use super::verdict::note;
use super::{clean, progress};
use crate::model::{Event, Note};

/// Lines to be told.
#[derive(Default)]
pub struct Kept(Vec<String>);

impl Kept {
    /// Keeps what an event says that must not be lost.
    pub fn keep(&mut self, event: &Event) {
        if let Event::Noted { scope, step, note: one @ (Note::Warning(_) | Note::Manual(_)) } = event {
            self.0.push(format!("{} ({} {step})", note(one), place(scope)));
        }
    }

    /// Tells it, once.
    pub fn tell(&mut self) {
        for line in self.0.drain(..) {
            progress(&clean(&line));
        }
    }
}
