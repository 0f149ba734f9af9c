//! What a directory holds after much has been written to it.

use std::fs::FileTimes;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::forest::Boosting;
use crate::forest::GrowParams;
use crate::forest::ModelKind;
use crate::forest::Samples;
use crate::forest::Schema;
use crate::forest::Training;
use crate::forest::grow_regressor;

/// A model of a hundred bytes or two; each `seed` makes another.
fn model(seed: u64) -> KeptModel {
    let schema = Schema::new(vec!["x".to_owned()]).unwrap();
    let samples = Samples::new(schema, vec![0.0, 1.0]).unwrap();
    let params = GrowParams {
        trees: 1,
        ..GrowParams::default()
    };
    let forest = grow_regressor(&samples, &[0.0, 1.0], &params.boosted(Boosting::new(1, 1.0)), 1).unwrap();
    let training = Training {
        seed,
        ..Training::default()
    };
    let model = Model::new(ModelKind::Ranker, forest, vec![0.0], training).unwrap();
    KeptModel::new(&Arc::new(model))
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn size(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

fn row(number: usize) -> String {
    format!("{number:099}\n")
}

fn rows_of(directory: &Path) -> String {
    let files = files(directory).unwrap();
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// Makes what is there older than what comes, as the clocks of file systems are coarse.
fn grow_older(directory: &Path) {
    for name in names(directory) {
        let file = File::options().append(true).open(directory.join(name)).unwrap();
        let changed = file.metadata().unwrap().modified().unwrap() - Duration::from_secs(1);
        file.set_times(FileTimes::new().set_modified(changed)).unwrap();
    }
}

#[test]
fn rows_stand_one_after_another() {
    let directory = TempDir::new().unwrap();
    let below = directory.path().join("made/as/needed");
    let mut shelf = Shelf::new(&below, 1 << 20);
    for number in 0..3 {
        shelf.put(&row(number), None).unwrap();
    }
    shelf.flush().unwrap();
    assert_eq!(rows_of(&below), row(0) + &row(1) + &row(2));
    assert_eq!(shelf.take_counts(), (3, 0));
}

#[test]
fn whatever_is_written_the_bound_holds_and_the_newest_stays() {
    let directory = TempDir::new().unwrap();
    let mut shelf = Shelf::new(directory.path(), 8000);
    for number in 0..1000 {
        let model = model(number as u64 / 7);
        shelf.put(&row(number), Some(&model)).unwrap();
        shelf.flush().unwrap();
        assert!(size(directory.path()) <= 8000, "{:?}", names(directory.path()));
        assert!(model_file(directory.path(), &model.digest).exists());
        if number % 10 == 9 {
            grow_older(directory.path());
        }
    }
    let rows = rows_of(directory.path());
    assert!(rows.ends_with(&row(999)) && rows.lines().count() > 20, "{}", rows.len());
}

#[test]
fn a_model_lives_as_long_as_a_file_that_needs_it() {
    let directory = TempDir::new().unwrap();
    let mut shelf = Shelf::new(directory.path(), 16_000);
    let (first, steady) = (model(1), model(2));
    shelf.put(&row(0), Some(&first)).unwrap();
    for number in 1..400 {
        shelf.put(&row(number), Some(&steady)).unwrap();
        shelf.flush().unwrap();
        grow_older(directory.path());
    }
    assert!(!model_file(directory.path(), &first.digest).exists());
    assert!(model_file(directory.path(), &steady.digest).exists());
}

#[test]
fn a_new_process_goes_on_with_what_is_there_and_a_smaller_bound_holds_at_once() {
    let directory = TempDir::new().unwrap();
    let mut shelf = Shelf::new(directory.path(), 80_000);
    for number in 0..700 {
        shelf.put(&row(number), None).unwrap();
    }
    shelf.flush().unwrap();
    let mut next = Shelf::new(directory.path(), 8000);
    next.put(&row(700), None).unwrap();
    next.flush().unwrap();
    // What is the current file stays whole until it is turned.
    next.put(&row(701), None).unwrap();
    next.flush().unwrap();
    assert!(size(directory.path()) <= 8000 + 10_000, "{}", size(directory.path()));
    assert!(rows_of(directory.path()).ends_with(&(row(700) + &row(701))));
}

#[test]
fn a_row_that_was_torn_is_left_on_a_line_of_its_own() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join(CURRENT), "{\"torn\":").unwrap();
    let mut shelf = Shelf::new(directory.path(), 1 << 20);
    shelf.put(&row(1), None).unwrap();
    shelf.flush().unwrap();
    assert_eq!(rows_of(directory.path()), format!("{{\"torn\":\n{}", row(1)));
}

#[test]
fn somebody_elses_files_are_left_alone() {
    let directory = TempDir::new().unwrap();
    let others = ["shop.forest", "shop.learned", "decisions.txt", "notes"];
    for name in others {
        fs::write(directory.path().join(name), "x".repeat(10_000)).unwrap();
    }
    let mut shelf = Shelf::new(directory.path(), 8000);
    for number in 0..300 {
        shelf.put(&row(number), None).unwrap();
    }
    assert!(others.iter().all(|name| directory.path().join(name).exists()));
}

#[test]
fn what_cannot_be_written_is_counted_and_the_rest_comes_when_it_can() {
    let directory = TempDir::new().unwrap();
    let below = directory.path().join("log");
    fs::write(&below, "a file where the directory should be").unwrap();
    let mut shelf = Shelf::new(&below, 1 << 20);
    assert!(shelf.put(&row(0), None).is_err());
    assert_eq!(shelf.take_counts(), (0, 1));
    fs::remove_file(&below).unwrap();
    shelf.put(&row(1), None).unwrap();
    fs::create_dir(below.join(CURRENT)).unwrap();
    assert!(shelf.flush().is_err());
    assert_eq!(shelf.take_counts(), (0, 1));
    fs::remove_dir(below.join(CURRENT)).unwrap();
    shelf.put(&row(2), None).unwrap();
    shelf.flush().unwrap();
    assert_eq!((rows_of(&below), shelf.take_counts()), (row(2), (1, 0)));
}
