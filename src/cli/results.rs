//! Where results go besides the terminal: `--json` and `--html`, the same for every command that measures.

use std::fs;
use std::path;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::cli::Mistake;
use crate::cli::terminal;

// The files that a command is asked to write. Not a doc comment: clap would describe the command with it.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Results {
    /// Write the figures as JSON; `-` is the standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write one page with the figures and charts; `-` is the standard output
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Results {
    /// Refuses early what would only fail after the work, or lose one of the two.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if let (Some(json), Some(html)) = (&self.json, &self.html)
            && whole(json) == whole(html)
        {
            let name = json.display();
            return Err(Mistake(format!(
                "--json and --html both write to {name}; give each a file of its own"
            ))
            .into());
        }
        let mut files = self.json.iter().chain(&self.html);
        files.try_for_each(|file| terminal::check_writable(file))
    }

    /// Gives everything that took time to find: what `tables` makes on the standard output, if that is free, then the
    /// files. What fails keeps nothing else from being given.
    ///
    /// # Errors
    /// When any of it failed.
    pub(super) fn give(
        &self,
        tables: impl FnOnce() -> String,
        json: &impl Serialize,
        html: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let printed = if self.leaves_output_free() {
            terminal::print(&tables())
        } else {
            Ok(())
        };
        let failures = [printed, self.write_json(json), self.write_html(html)];
        let failures: Vec<anyhow::Error> = failures.into_iter().filter_map(Result::err).collect();
        match <[anyhow::Error; 1]>::try_from(failures) {
            Ok([only]) => Err(only),
            Err(failures) if failures.is_empty() => Ok(()),
            Err(failures) => {
                let failures: Vec<String> = failures.iter().map(|error| format!("{error:#}")).collect();
                Err(anyhow::anyhow!(failures.join("; ")))
            }
        }
    }

    /// Writes `json` if that was asked for.
    pub(super) fn write_json(&self, json: &impl Serialize) -> anyhow::Result<()> {
        self.json
            .as_deref()
            .map_or(Ok(()), |file| terminal::write_json(file, json))
    }

    /// Writes the page that `html` makes if it was asked for.
    pub(super) fn write_html(&self, html: impl FnOnce() -> String) -> anyhow::Result<()> {
        self.html
            .as_deref()
            .map_or(Ok(()), |file| terminal::write(file, &html()))
    }

    /// JSON alone, into `file`.
    #[cfg(test)]
    pub(super) fn to_json(file: &Path) -> Self {
        Self {
            json: Some(file.to_owned()),
            html: None,
        }
    }

    /// Whether there is a page to be made.
    pub(super) fn has_page(&self) -> bool {
        self.html.is_some()
    }

    /// Whether the standard output is free for tables: none of the files is it.
    pub(super) fn leaves_output_free(&self) -> bool {
        !self.json.iter().chain(&self.html).any(|file| terminal::is_output(file))
    }
}

/// `file` under the name that it shares with no other.
fn whole(file: &Path) -> PathBuf {
    let whole = fs::canonicalize(file).or_else(|_| path::absolute(file));
    whole.unwrap_or_else(|_| file.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(json: Option<&Path>, html: Option<&Path>) -> Results {
        Results {
            json: json.map(Path::to_owned),
            html: html.map(Path::to_owned),
        }
    }

    #[track_caller]
    fn check_refused(file: &Path, expected: &str) {
        for results in [results(Some(file), None), results(None, Some(file))] {
            let error = format!("{:#}", results.check().unwrap_err());
            assert!(
                error.starts_with(&format!("cannot write {}: ", file.display())) && error.contains(expected),
                "{error}"
            );
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused_before_the_work() {
        let directory = tempfile::tempdir().unwrap();
        check_refused(directory.path(), "directory");
        check_refused(&directory.path().join("none/page.html"), "No such file or directory");
    }

    #[test]
    fn two_results_have_two_files() {
        for (json, html) in [("-", "-"), ("x", "x"), ("none/x", "./none//x")] {
            let error = results(Some(Path::new(json)), Some(Path::new(html)))
                .check()
                .unwrap_err();
            assert!(
                error.is::<Mistake>() && error.to_string().contains("both write to"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_check_leaves_nothing_behind_and_nothing_changed() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (directory.path().join("old.json"), directory.path().join("new.html"));
        fs::write(&old, "kept").unwrap();
        results(Some(&old), Some(&new)).check().unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), "kept");
        assert!(!new.exists());
        assert!(results(Some(Path::new("-")), None).check().is_ok());
    }

    #[test]
    fn what_fails_keeps_nothing_else_from_being_written() {
        let directory = tempfile::tempdir().unwrap();
        let (good, bad) = (directory.path().join("good"), directory.path().join("none/bad"));
        for (json, html) in [(&good, &bad), (&bad, &good)] {
            let results = results(Some(json), Some(html));
            let error = results.give(String::new, &"found", || "found".to_owned()).unwrap_err();
            assert!(error.to_string().contains("none/bad"), "{error}");
            assert!(fs::read_to_string(&good).unwrap().contains("found"));
            fs::remove_file(&good).unwrap();
        }
        let error = results(Some(&bad), Some(directory.path())).give(String::new, &1, String::new);
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("none/bad: ") && error.contains("; cannot write "),
            "{error}"
        );
    }

    #[test]
    fn tables_make_way_for_what_is_written_to_the_output() {
        let output = Some(Path::new("-"));
        assert!(results(None, Some(Path::new("x.html"))).leaves_output_free());
        assert!(!results(output, None).leaves_output_free());
        assert!(!results(None, output).leaves_output_free());
    }
}
