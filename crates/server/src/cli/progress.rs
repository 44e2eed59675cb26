//! Progress bars on standard error; silent when nobody watches.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over `total` steps.
pub fn bar(total: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let style = "{msg} [{bar:40}] {human_pos}/{human_len} {per_sec} {eta}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(what);
    bar
}
