//! Rows that could make a library end the process.

use super::*;

fn setting() -> Setting {
    Setting {
        params: GrowParams {
            trees: 5,
            depth: 4,
            min_leaf: 1,
            min_split: 2,
            ..GrowParams::default()
        },
        seed: 1,
    }
}

/// Fits every method to rows of these values and classes; each of them gives probabilities or says why it cannot.
#[track_caller]
fn check(values: &[[f64; 2]], labels: &[usize], classes: usize) {
    let records = Array2::from(values.to_vec());
    let lesson = Lesson {
        records: records.clone(),
        labels: labels.to_vec(),
        classes,
    };
    for method in Method::ALL {
        let Ok(fitted) = method.fit(&lesson, &setting()) else {
            continue;
        };
        let shares = fitted.shares(&records);
        assert_eq!(shares.len(), labels.len() * classes, "{}", method.name());
        for row in shares.chunks(classes) {
            let sum: f64 = row.iter().sum();
            assert!(
                !sum.is_finite() || (sum - 1.0).abs() < 1e-6,
                "{}: {row:?}",
                method.name()
            );
        }
        assert!(fitted.bytes() > 0);
    }
}

#[test]
fn rows_that_are_all_the_same_end_no_process() {
    check(&[[1.0, 2.0]; 40], &[0, 1].repeat(20), 2);
    check(&[[1.0, 2.0]; 40], &[0; 40], 2);
}

#[test]
fn few_rows_end_no_process() {
    check(&[[1.0, 2.0], [3.0, 1.0]], &[0, 1], 2);
    check(&[[1.0, 2.0], [3.0, 1.0], [0.0, 0.0]], &[0, 1, 2], 3);
}

#[test]
fn a_class_without_rows_ends_no_process() {
    let values: Vec<[f64; 2]> = (0..30).map(|row| [f64::from(row), f64::from(row % 7)]).collect();
    check(&values, &[0, 2].repeat(15), 3);
}

#[test]
fn one_row_far_from_all_others_ends_no_process() {
    // As far as a scaled value can be from the mean.
    let place = |row: u32| {
        if row == 7 {
            199.5_f64.sqrt()
        } else {
            f64::from(row) * 1e-9
        }
    };
    let values: Vec<[f64; 2]> = (0..200).map(|row| [place(row), f64::from(row % 3) - 1.0]).collect();
    check(&values, &[0, 1].repeat(100), 2);
}

#[test]
fn thinned_rows_are_spread_over_all() {
    let lesson = Lesson {
        records: Array2::zeros((10, 1)),
        labels: (0..10).collect(),
        classes: 10,
    };
    assert_eq!(lesson.thinned(4).labels, [0, 2, 5, 7]);
    assert_eq!(lesson.thinned(20).labels.len(), 10);
}
