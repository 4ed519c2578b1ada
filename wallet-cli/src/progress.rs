use indicatif::ProgressStyle;

/// A progress bar on standard error; hidden if that is not a terminal.
pub(crate) struct ProgressBar(indicatif::ProgressBar);

impl ProgressBar {
    pub(crate) fn new() -> Self {
        let bar = indicatif::ProgressBar::no_length();
        if let Ok(style) =
            ProgressStyle::with_template("{msg:>22} {wide_bar} {human_pos}/{human_len}")
        {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Shows what is done so far, and the total if it is known.
    pub(crate) fn show(&self, stage: &'static str, done: u64, total: Option<u64>) {
        self.0.set_message(stage);
        self.0.set_length(total.unwrap_or(done));
        self.0.set_position(done);
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
