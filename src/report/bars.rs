//! A run on a terminal: what is done scrolls up; below it stays a line for each place where something goes on, and one for the run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::kept::Kept;
use super::lines::{line, place};
use super::{Detail, clean};
use crate::model::{Event, Scope, Sink, Size, several};

/// More lines than this are not kept for places where nothing goes on: the others must stay in sight.
const ROWS: usize = 12;

const BUSY: &str = "{spinner} {prefix}  {wide_msg} {elapsed}";
const WAITING: &str = "{spinner} {prefix}  {wide_msg}";
const SENDING: &str = "{spinner} {prefix}  {wide_msg} {bytes}/{total_bytes}{rate} {elapsed}";
const IDLE: &str = "  {prefix}  {wide_msg}";
const RUN: &str = "{spinner} {elapsed}  {wide_msg}";

/// A sink that draws from its first event on: until then a password or a host key may be asked for.
pub fn sink() -> Sink {
    let bars = Mutex::new(Bars::new(MultiProgress::new()));
    Arc::new(move |event| bars.lock().unwrap_or_else(PoisonError::into_inner).show(&event))
}

struct Bars {
    all: MultiProgress,
    run: Option<ProgressBar>,
    rows: BTreeMap<Scope, Row>,
    kept: Kept,
}

struct Row {
    bar: ProgressBar,
    done: usize,
    /// What is being sent: bytes in all, bytes that were there when it began, and when that was.
    sending: Option<(u64, u64, Instant)>,
}

impl Row {
    /// Bytes a second, once there is a second to judge by. What was there already was not sent in no time.
    fn rate(&mut self, done: u64, total: u64) -> Option<String> {
        let begins = self.sending.is_none_or(|(all, first, _)| all != total || done < first);
        if begins {
            self.sending = Some((total, done, Instant::now()));
        }
        let (_, first, since) = self.sending?;
        let seconds = since.elapsed().as_secs_f64();
        (seconds >= 1.0).then(|| format!(" {}/s", Size(((done - first) as f64 / seconds) as u64)))
    }
}

impl Bars {
    fn new(all: MultiProgress) -> Self {
        Self { all, run: None, rows: BTreeMap::new(), kept: Kept::default() }
    }

    fn show(&mut self, event: &Event) {
        self.kept.keep(event);
        match event {
            Event::Asking { questions } => self.run().set_message(format!("asking {}", several(*questions, "question"))),
            Event::Acting { scope, step, what } => {
                self.busy(scope, BUSY, &format!("{step}: {what}")).reset_elapsed();
                if let Some(row) = self.rows.get_mut(scope) {
                    row.sending = None;
                }
            }
            Event::Sent { scope, done, total, .. } => {
                let bar = self.row(scope);
                let rate = self.rows.get_mut(scope).and_then(|row| row.rate(*done, *total)).unwrap_or_default();
                let told = move |_: &ProgressState, text: &mut dyn Write| {
                    let _ = text.write_str(&rate);
                };
                bar.set_style(style(SENDING).with_key("rate", told));
                bar.set_length(*total);
                bar.set_position(*done);
            }
            Event::Waiting { scope, step, condition, waited } => {
                let (waited, within) = (waited.as_secs(), condition.within.as_secs());
                let text = format!("{step}: waiting {waited} s of {within} s: {} ({})", condition.what, condition.seen);
                self.busy(scope, WAITING, &text);
            }
            Event::Acted { scope, .. } => {
                self.above(event);
                self.idle(scope);
            }
            Event::Planned { .. } | Event::Resuming(_) | Event::SetAside(_) => self.above(event),
            Event::Failed(_) => {
                self.end();
                self.kept.tell();
            }
            Event::Looked => self.clear(),
            Event::Done => self.end(),
            Event::Answered { .. } | Event::Noted { .. } => {}
        }
    }

    /// Prints above the lines that stay, for good.
    fn above(&self, event: &Event) {
        if let Some(line) = line(event, Detail::Normal) {
            // A terminal that can't be written to any more can't be told so.
            let _ = self.all.println(clean(&line));
        }
    }

    fn run(&mut self) -> &ProgressBar {
        let all = &self.all;
        self.run.get_or_insert_with(|| ticking(all.add(ProgressBar::new_spinner()), RUN))
    }

    /// A place's own line, above that of the run.
    fn row(&mut self, scope: &Scope) -> ProgressBar {
        let run = self.run().clone();
        let all = &self.all;
        let row = self.rows.entry(scope.clone()).or_insert_with(|| {
            let bar = all.insert_before(&run, ProgressBar::new_spinner());
            bar.set_prefix(clean(place(scope)));
            Row { bar: ticking(bar, BUSY), done: 0, sending: None }
        });
        row.bar.clone()
    }

    fn busy(&mut self, scope: &Scope, template: &str, text: &str) -> ProgressBar {
        self.run().set_message("");
        let bar = ticking(self.row(scope), template);
        bar.set_message(clean(text).replace(['\n', '\t'], " "));
        bar
    }

    fn idle(&mut self, scope: &Scope) {
        let Some(row) = self.rows.get_mut(scope) else { return };
        row.done += 1;
        row.bar.disable_steady_tick();
        row.bar.set_style(style(IDLE));
        row.bar.set_message(format!("{} done", row.done));
        if self.rows.len() > ROWS
            && let Some(row) = self.rows.remove(scope)
        {
            row.bar.finish_and_clear();
            self.all.remove(&row.bar);
        }
    }

    /// Leaves the terminal as it was, below what was done, and draws nothing any more.
    fn end(&mut self) {
        self.clear();
        self.all.set_draw_target(ProgressDrawTarget::hidden());
    }

    fn clear(&mut self) {
        for bar in self.rows.values().map(|row| &row.bar).chain(&self.run) {
            bar.finish_and_clear();
        }
        self.rows.clear();
        self.run = None;
    }
}

const TICK: Duration = Duration::from_millis(120);

fn ticking(bar: ProgressBar, template: &str) -> ProgressBar {
    bar.set_style(style(template));
    bar.enable_steady_tick(TICK);
    bar
}

/// The templates are constants; one that did not parse would only cost the looks.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
