//! A run on a terminal: done actions scroll up, the running one stays at the bottom with its time and bytes.

use std::sync::{Arc, Once};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::lines::{line, place};
use super::{Detail, clean};
use crate::model::{Event, Sink};

/// A sink that keeps one line alive, from its first event on: until then a password or a host key may be asked for.
pub fn sink() -> Sink {
    let bar = ProgressBar::new_spinner();
    bar.set_style(style("{spinner} {wide_msg} {elapsed}"));
    let begin = Once::new();
    Arc::new(move |event| {
        begin.call_once(|| bar.enable_steady_tick(Duration::from_millis(120)));
        show(&bar, &event);
    })
}

fn show(bar: &ProgressBar, event: &Event) {
    match event {
        Event::Asking { questions } => bar.set_message(format!("asking {questions} questions")),
        Event::Acting { scope, step, what } => {
            bar.reset();
            bar.set_style(style("{spinner} {wide_msg} {elapsed}"));
            bar.set_message(clean(&format!("{}  {step}: {what}", place(scope))));
        }
        Event::Sent { done, total, .. } => {
            bar.set_style(style("{spinner} {wide_msg} {bytes}/{total_bytes} {elapsed}"));
            bar.set_length(*total);
            bar.set_position(*done);
        }
        Event::Waiting { scope, step, condition, waited } => {
            let (place, waited, within) = (place(scope), waited.as_secs(), condition.within.as_secs());
            let text = format!("{place}  {step}: {waited} s of {within} s: {} ({})", condition.what, condition.seen);
            bar.set_style(style("{spinner} {wide_msg}"));
            bar.set_message(clean(&text).replace('\n', " "));
        }
        Event::Acted { .. } | Event::Resuming(_) | Event::SetAside(_) => {
            if let Some(line) = line(event, Detail::Normal) {
                bar.println(clean(&line));
            }
        }
        Event::Failed(_) | Event::Done => bar.finish_and_clear(),
        Event::Planned { .. } => {}
    }
}

/// The templates are constants; one that did not parse would only cost the looks.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
