//! From a decision to its row and back.

use super::*;
use crate::pool::BackendIndex;
use crate::selection::Choice;
use crate::selection::Decision;
use crate::selection::FEATURE_NAMES;
use crate::selection::ModelSlot;
use crate::selection::Occasion;
use crate::selection::Reason;
use crate::selection::tests::NOW;
use crate::selection::tests::pool;
use crate::selection::tests::request;

fn settled() -> Settled {
    let pool = pool(&[1, 3]);
    let choice = Choice::new(BackendIndex::new(1), Reason::Base);
    let decision = Decision::new(&pool, &pool.snapshot(NOW), &request(1), &choice, &ModelSlot::default());
    let mut attempt = pool.begin(choice.backend, decision.request.route_class, NOW).unwrap();
    attempt.answered(NOW.plus(Duration::from_micros(7250)));
    Settled {
        decision: Box::new(decision),
        occasion: Occasion {
            request: 0xbeef,
            route: "everything".to_owned(),
        },
        outcome: Some(attempt.finish(crate::pool::Verdict::Success, NOW)),
    }
}

#[test]
fn a_row_is_read_as_it_was_written() {
    let row = Row::new(&settled(), "forest", Some("0123456789abcdef"));
    let line = row.line();
    assert_eq!(Row::parse(line.trim_end()).unwrap(), row);
    assert_eq!(row.sights()[1], settled().decision.candidates[1].1);
    assert_eq!(row.draw().unwrap(), request(1).draw);
    let words = [
        "\"chosen\":\"10.0.0.1:80\"",
        "\"reason\":\"base\"",
        "\"latency_ms\":7.25",
        "000000000000beef",
    ];
    for word in words.into_iter().chain(FEATURE_NAMES) {
        assert!(line.contains(word), "no {word} in {line}");
    }
}

#[track_caller]
fn check_refused(line: &str, expected: &str) {
    let error = Row::parse(line).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn what_is_no_row_is_refused_and_never_a_panic() {
    let line = Row::new(&settled(), "forest", None).line();
    let line = line.trim_end();
    for length in 0..line.len() {
        check_refused(&line[..length], "no row of a decision log");
    }
    check_refused(&line.replace("\"version\":1", "\"version\":2"), "a row of version 2");
    check_refused(&line.replace("\"base\"", "\"whim\""), "`reason` cannot be `whim`");
    check_refused(&line.replace("\"no_model\"", "\"\""), "`charge` cannot be ``");
    check_refused(&line.replace("\"cpu\"", "\"gpu\""), "no number for the feature `cpu`");
    check_refused(
        &line.replace("\"cpu\":-1.0", "\"cpu\":1e99"),
        "no number for the feature `cpu`",
    );
}

#[test]
fn a_directory_that_cannot_be_written_is_warned_of_once_an_hour() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let queue = Arc::new(DecisionQueue::default());
    let log = crate::selection::DecisionLog::new(crate::units::Share::HALF, Arc::clone(&queue));
    let mut journal = Journal {
        selector: "forest".to_owned(),
        settings: config::DecisionLog {
            dir: file.clone(),
            max_size: 8 << 20,
            sample: crate::units::Share::HALF,
        },
        queue,
        shelf: Shelf::new(&file, 8 << 20),
        models: Vec::new(),
        warning: Warning::default(),
    };
    let mut warned = |seconds: f64| {
        log.settle(settled());
        journal.write(Timestamp::from_seconds(seconds));
        journal.warning.told.map(Timestamp::seconds)
    };
    assert_eq!(
        [1000.0, 1060.0, 4600.0].map(&mut warned),
        [Some(1000.0), Some(1000.0), Some(4600.0)]
    );
    std::fs::remove_file(&file).unwrap();
    assert_eq!(warned(4601.0), None);
    assert_eq!((log.queue().written.count(), log.queue().unwritten.count()), (1, 3));
    assert_eq!(std::fs::read_dir(&file).unwrap().count(), 1);
}
