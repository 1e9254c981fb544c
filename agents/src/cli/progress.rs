//! Progress bars, on standard error and only if that is a terminal.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

/// Every bar, so that a line of the log can be written around them. Draws nothing where no terminal is.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// How far something is. Gone from the terminal when it is dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar for `what`, which counts in `unit`s, to `total` if that is known.
    pub(crate) fn new(what: &str, unit: &str, total: Option<u64>) -> Self {
        let template = match total {
            Some(_) => "{prefix} [{bar:30}] {human_pos}/{human_len} UNIT  {rate}  {eta} left  {msg}",
            None => "{prefix} {spinner} {human_pos} UNIT  {rate}  {msg}",
        };
        let template = template.replace("UNIT", &unit.replace(['{', '}'], ""));
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let style = style.with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
            // Only the terminal can refuse, and then there is no bar.
            let _ = write!(out, "{:.0}/s", state.per_sec());
        });
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let bar = BARS.add(bar.with_style(style.progress_chars("=> ")).with_prefix(what.to_owned()));
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar }
    }

    /// A bar for `what`, which says everything else in its message.
    pub(crate) fn saying(what: &str, total: Option<u64>) -> Self {
        let template = if total.is_some() { "{prefix} [{bar:30}] {msg}" } else { "{prefix} {spinner} {msg}" };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let bar = BARS.add(bar.with_style(style.progress_chars("=> ")).with_prefix(what.to_owned()));
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar }
    }

    /// So many are done.
    pub(crate) fn set(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// What is being done just now.
    pub(crate) fn message(&self, message: &str) {
        self.bar.set_message(message.to_owned());
    }

    /// It is over: the bar goes.
    pub(crate) fn finish(self) {}
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        BARS.remove(&self.bar);
    }
}

/// Does something to standard error while no bar is there.
pub(super) fn suspend<T>(work: impl FnOnce() -> T) -> T {
    BARS.suspend(work)
}
