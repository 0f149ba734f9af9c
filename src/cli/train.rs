//! `sylvan train`: a recorded data set, or the paper's own table, becomes a model with its card.

mod compare;
mod data;
mod findings;
mod page;

use std::num::NonZeroUsize;
use std::path::Path;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use anyhow::bail;
use anyhow::ensure;
use clap::Args;
use indicatif::ProgressBar;

use crate::cli::results::Results;
use crate::cli::terminal;
use crate::forest::GrowParams;
use crate::forest::encode;
use crate::report;
use crate::report::Look;
use crate::tasks::replace::Durability;
use crate::tasks::replace::beside;
use crate::tasks::replace::replace;
use crate::training;
use crate::training::Comparison;
use crate::training::Input;
use crate::training::TrainRequest;
use crate::training::Trained;
use crate::training::dataset::Table;

/// Trees and depth that are cheap to serve and lose nothing on a pool's metrics.
const TREES: u16 = 64;
const DEPTH: u16 = 8;

/// Train a random forest from a recorded data set.
#[derive(Args, Debug)]
pub(crate) struct TrainArgs {
    /// The data set, or with `--compare` the directory of a decision log; several files of one pool, such as rotated ones,
    /// are taken together
    #[arg(required = true, value_name = "FILE.csv|DIR")]
    files: Vec<PathBuf>,
    /// Where to write the model; its card goes beside it as .md. Without it nothing is written
    #[arg(long, value_name = "FILE.forest")]
    out: Option<PathBuf>,
    /// The pool to train for, where the data set has several
    #[arg(long)]
    pool: Option<String>,
    /// The same data and seed give the same model
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many trees
    #[arg(long, default_value_t = TREES, value_parser = clap::value_parser!(u16).range(1..=4096))]
    trees: u16,
    /// The most splits above a leaf
    #[arg(long, default_value_t = DEPTH, value_parser = clap::value_parser!(u16).range(1..=15))]
    depth: u16,
    /// Compare this forest with other classifiers on the data set instead; writes no model
    #[arg(long, conflicts_with = "out")]
    compare: bool,
    #[command(flatten)]
    results: Results,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read or written, or nothing can be learnt from the data.
pub(crate) fn run(args: &TrainArgs) -> anyhow::Result<()> {
    args.out.as_deref().map_or(Ok(()), check_out)?;
    args.results.check()?;
    let data = data::read(&args.files)?;
    let command = command(args);
    let request = TrainRequest {
        pool: args.pool.as_deref(),
        params: params(args),
        seed: args.seed,
        data_digest: &data.digest,
        command: &command,
    };
    let compared = if args.compare {
        Some(compare::run(args, data.input(), &request)?)
    } else {
        None
    };
    // A comparison shows the forest itself on its page alone, and of a decision log there is none.
    let is_forest_shown = match data.input() {
        Input::Table(_) => compared.is_none() || args.results.has_page(),
        Input::Decisions(_) => compared.is_none(),
    };
    let trained = if is_forest_shown {
        Some(train(args, data.table()?, &request)?)
    } else {
        None
    };
    finish(args, trained.as_ref(), compared.as_ref())
}

fn train(args: &TrainArgs, table: &Table, request: &TrainRequest) -> anyhow::Result<Trained> {
    let spinner = spinner(terminal::progress());
    let trained = training::train(table, request).with_context(|| data::names(&args.files));
    spinner.finish_and_clear();
    trained
}

/// Shows and writes what was asked for; a comparison has shown its figures itself.
fn finish(args: &TrainArgs, trained: Option<&Trained>, compared: Option<&Comparison>) -> anyhow::Result<()> {
    let summary = trained.map(|trained| &trained.summary);
    if let (Some(summary), None) = (summary, compared) {
        if args.results.leaves_output_free() {
            let text = findings::table(summary).text(terminal::output()) + &findings::dropped(summary);
            terminal::print(&text)?;
        }
        args.results.write_json(summary)?;
    }
    if let (Some(out), Some(trained)) = (&args.out, trained) {
        write_model(out, trained)?;
    }
    args.results.write_html(|| page::page(summary, compared))
}

/// Refuses early what would only fail after the work; the card goes beside the model.
pub(super) fn check_out(out: &Path) -> anyhow::Result<()> {
    ensure!(
        out.extension().is_some_and(|extension| extension == "forest"),
        "--out {}: name it *.forest",
        out.display()
    );
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
        bail!(
            "--out {}: there is no directory {}; create it first",
            out.display(),
            parent.display()
        );
    }
    // A file is written beside each and then takes its place.
    let card = out.with_extension("md");
    let files = [out.to_owned(), card, beside(out, "new")];
    files.iter().try_for_each(|file| terminal::check_writable(file))
}

fn params(args: &TrainArgs) -> GrowParams {
    GrowParams {
        trees: args.trees.into(),
        depth: args.depth.into(),
        threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        ..GrowParams::default()
    }
}

/// The command that makes the same model again.
fn command(args: &TrainArgs) -> String {
    let mut words = vec!["sylvan".to_owned(), "train".to_owned()];
    words.extend(args.files.iter().map(|file| quoted(&file.display().to_string())));
    let mut flag = |name: &str, value: String| words.extend([name.to_owned(), quoted(&value)]);
    if let Some(out) = &args.out {
        flag("--out", out.display().to_string());
    }
    if let Some(pool) = &args.pool {
        flag("--pool", pool.clone());
    }
    flag("--seed", args.seed.to_string());
    flag("--trees", args.trees.to_string());
    flag("--depth", args.depth.to_string());
    if args.compare {
        words.push("--compare".to_owned());
    }
    words.join(" ")
}

/// `word` as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Something that moves: how long a forest takes depends on the machine, and no step of it can be counted.
fn spinner(look: Look) -> ProgressBar {
    if look == Look::Plain {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner().with_message("growing the forest");
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// Writes the card, then the model: whoever watches the model finds its card there.
fn write_model(out: &Path, trained: &Trained) -> anyhow::Result<()> {
    let card = out.with_extension("md");
    let bytes = encode(&trained.model);
    for (file, bytes) in [(card.as_path(), trained.card.as_bytes()), (out, bytes.as_slice())] {
        write_file(file, bytes)?;
    }
    let size = report::size(bytes.len() as u64);
    terminal::tell(format_args!("wrote {} ({size}) and {}", out.display(), card.display()));
    Ok(())
}

/// Puts `bytes` in the place of `file`, at once and for good.
pub(super) fn write_file(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    replace(file, bytes, Durability::Disk).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::forest::ModelKind;
    use crate::forest::decode;
    use crate::training::dataset;

    fn args(files: &[&Path], out: Option<&Path>) -> TrainArgs {
        TrainArgs {
            files: files.iter().map(|&file| file.to_owned()).collect(),
            out: out.map(ToOwned::to_owned),
            pool: None,
            seed: 1,
            trees: 8,
            depth: 3,
            compare: false,
            results: Results::default(),
        }
    }

    const PAPER: &str = "integration/fixtures/figure-7-1.csv";

    fn paper() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(PAPER)
    }

    #[track_caller]
    fn check_error(args: &TrainArgs, expected: &str) {
        let error = format!("{:#}", run(args).unwrap_err());
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn the_papers_table_becomes_a_model_and_a_card_in_one_step() {
        let dir = tempfile::tempdir().unwrap();
        let (out, json) = (dir.path().join("x.forest"), dir.path().join("x.json"));
        run(&TrainArgs {
            results: Results::to_json(&json),
            ..args(&[&paper()], Some(&out))
        })
        .unwrap();
        let model = decode(&fs::read(&out).unwrap()).unwrap();
        assert_eq!((model.kind(), model.training().rows), (ModelKind::Reproduction, 18));
        assert!(
            fs::read_to_string(out.with_extension("md"))
                .unwrap()
                .contains(&model.training().data_digest)
        );
        let found: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
        assert_eq!(found["data"]["rows"], 18);
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            3,
            "nothing else is left behind"
        );
    }

    #[test]
    fn the_model_in_the_repository_is_what_its_command_makes() {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/paper-table.forest");
        let kept = fs::read(kept).unwrap();
        let out = Path::new("models/paper-table.forest");
        let args = TrainArgs {
            trees: TREES,
            depth: DEPTH,
            ..args(&[Path::new(PAPER)], Some(out))
        };
        let data = data::read(&[paper()]).unwrap();
        let command = command(&args);
        let request = TrainRequest {
            pool: None,
            params: params(&args),
            seed: 1,
            data_digest: &data.digest,
            command: &command,
        };
        assert_eq!(
            encode(&training::train(data.table().unwrap(), &request).unwrap().model),
            kept
        );
    }

    #[test]
    fn refusals_name_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let bad = dir.path().join("bad.csv");
        fs::write(&bad, "timestamp,cpu\n").unwrap();
        check_error(&args(&[&bad], None), "bad.csv:1: missing columns: cpu_percent");
        check_error(&args(&[&dir.path().join("none.csv")], None), "cannot read");
        check_error(
            &args(&[&paper()], Some(Path::new("x.md"))),
            "--out x.md: name it *.forest",
        );
        check_error(
            &args(&[&paper()], Some(&dir.path().join("no/x.forest"))),
            "there is no directory",
        );
        for taken in ["x.forest", "y.md"] {
            fs::create_dir(dir.path().join(taken)).unwrap();
            let out = dir.path().join(taken).with_extension("forest");
            let error = format!("cannot write {}", dir.path().join(taken).display());
            check_error(&args(&[Path::new("none.csv")], Some(&out)), &error);
        }
        fs::write(&bad, dataset::header() + "1,1,1,1,1,0,1,0,1,shop,a\n").unwrap();
        check_error(&args(&[&bad], None), "bad.csv: the data set has 1 backend(s)");
        check_error(&args(&[&paper(), &bad], None), "bad.csv: its columns are not those of");
    }

    #[test]
    fn the_command_in_a_card_can_be_run_again() {
        let args = args(&[Path::new("my data.csv")], Some(Path::new("models/x.forest")));
        assert_eq!(
            command(&args),
            "sylvan train 'my data.csv' --out models/x.forest --seed 1 --trees 8 --depth 3"
        );
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
