//! Progress of long work: a bar on a terminal, a plain line every few seconds elsewhere.

use std::fmt;
use std::io::Write;
use std::io::stderr;
use std::time::Duration;

use indicatif::ProgressBar;
use indicatif::ProgressStyle;

use crate::report::Look;
use crate::units::Timestamp;

/// Between two plain lines: often enough to see that it lives, seldom enough for a log.
const LINE_PERIOD: Duration = Duration::from_secs(5);

/// Shows how far one piece of work is; on the standard error stream, so that results can be piped away.
#[derive(Debug)]
pub struct Progress {
    name: String,
    total: u64,
    form: Form,
}

enum Form {
    Bar(ProgressBar),
    Lines {
        out: Box<dyn Write + Send>,
        written_at: Option<Timestamp>,
    },
}

impl Progress {
    /// Progress of the work `name`, which is done at `total` steps.
    #[must_use]
    pub fn new(look: Look, name: &str, total: u64) -> Self {
        let form = match look {
            Look::Plain => Form::lines(stderr()),
            Look::Terminal { .. } => Form::Bar(bar(name, total)),
        };
        Self {
            name: name.to_owned(),
            total,
            form,
        }
    }

    /// `done` steps are done at `now`; `message` says what else is worth knowing.
    pub fn update(&mut self, done: u64, message: &str, now: Timestamp) {
        match &mut self.form {
            Form::Bar(bar) => {
                bar.set_position(done.min(self.total));
                bar.set_message(message.to_owned());
            }
            Form::Lines { out, written_at } => {
                if written_at.is_some_and(|at| now.since(at) < LINE_PERIOD) {
                    return;
                }
                *written_at = Some(now);
                write_line(out, &format!("{} {}: {message}", self.name, percent(done, self.total)));
            }
        }
    }

    /// Ends the progress: the bar disappears, or a last line says `message`.
    pub fn finish(mut self, message: &str) {
        match &mut self.form {
            Form::Bar(bar) => bar.finish_and_clear(),
            Form::Lines { out, .. } => write_line(out, &format!("{}: {message}", self.name)),
        }
    }
}

impl Form {
    fn lines(out: impl Write + Send + 'static) -> Self {
        Self::Lines {
            out: Box::new(out),
            written_at: None,
        }
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bar(_) => "Bar",
            Self::Lines { .. } => "Lines",
        })
    }
}

fn bar(name: &str, total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} [{bar:24}] {percent:>3}%  {msg}")
        .expect("the template is a constant with known keys")
        .progress_chars("=> ");
    ProgressBar::new(total).with_style(style).with_prefix(name.to_owned())
}

fn percent(done: u64, total: u64) -> String {
    format!("{}%", done.min(total) * 100 / total.max(1))
}

/// A closed standard error stream is no reason to stop working.
fn write_line(out: &mut dyn Write, line: &str) {
    let _ = writeln!(out, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::Arc;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn plain_progress_is_a_line_every_few_seconds_without_escape_codes() {
        let screen = Screen::default();
        let mut progress = Progress {
            name: "traffic".into(),
            total: 12,
            form: Form::lines(screen.clone()),
        };
        for second in 0..12 {
            progress.update(
                second,
                &format!("second {second}"),
                Timestamp::from_seconds(second as f64),
            );
        }
        progress.finish("done");
        let shown = String::from_utf8(screen.0.lock().unwrap().clone()).unwrap();
        assert_eq!(
            shown,
            "traffic 0%: second 0\ntraffic 41%: second 5\ntraffic 83%: second 10\ntraffic: done\n"
        );
    }

    #[test]
    fn no_bar_is_drawn_away_from_a_terminal() {
        let progress = Progress::new(Look::Plain, "traffic", 10);
        assert!(matches!(progress.form, Form::Lines { .. }));
    }
}
