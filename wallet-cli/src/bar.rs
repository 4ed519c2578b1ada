use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error; nothing where that is no terminal.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::no_length();
        if let Ok(style) =
            ProgressStyle::with_template("{msg:>22} {wide_bar} {human_pos}/{human_len}")
        {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// How far it has come, of how much where that is known.
    pub(crate) fn show(&self, stage: &'static str, done: u64, total: Option<u64>) {
        self.0.set_message(stage);
        self.0.set_length(total.unwrap_or(done));
        self.0.set_position(done);
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
