//! Which columns a forest is grown on: not those that are constant, that say what another says, or that nothing is lost
//! without.

use crate::training::TrainError;
use crate::training::TrainRequest;
use crate::training::examples::Examples;
use crate::training::preprocess::Dropped;
use crate::training::preprocess::Pipeline;
use crate::training::preprocess::Reason;

/// From this correlation on, of either sign, one of two columns is enough.
const TWINS: f64 = 0.98;
/// With fewer rows to judge by, chance decides what is lost.
const LEAST_JUDGED: usize = 200;
/// One row in so many judges.
const JUDGED_PART: usize = 4;

/// The pipeline for the first `rows` rows of `examples`, without the columns that are not needed.
///
/// # Errors
/// When every column is constant, or no forest can be grown.
pub(crate) fn sift(examples: &Examples, rows: usize, request: &TrainRequest) -> Result<Pipeline, TrainError> {
    let width = examples.schema.width();
    let mut pipeline = Pipeline::fit(&examples.features[..rows], width);
    for twin in twins(&pipeline, &examples.features[..rows]) {
        pipeline.drop(twin);
    }
    for unused in unused(examples, &pipeline, rows, request)? {
        pipeline.drop(unused);
    }
    Ok(pipeline)
}

/// Kept columns that say what one before them says.
fn twins(pipeline: &Pipeline, rows: &[Vec<Option<f32>>]) -> Vec<Dropped> {
    let prepared: Vec<Vec<f32>> = rows.iter().map(|row| pipeline.apply(row).collect()).collect();
    let mut twins: Vec<Dropped> = Vec::new();
    let mut kept: Vec<usize> = Vec::new();
    for column in 0..pipeline.kept.len() {
        let like = kept.iter().find_map(|&other| {
            let correlation = correlation(&prepared, column, other);
            (correlation.abs() >= TWINS).then_some((other, correlation))
        });
        match like {
            None => kept.push(column),
            Some((other, correlation)) => twins.push(Dropped {
                place: pipeline.kept[column].place,
                reason: Reason::Twin {
                    of: pipeline.kept[other].place,
                    correlation,
                },
            }),
        }
    }
    twins
}

/// Pearson's correlation of two columns of a mean of 0 and a deviation of 1.
fn correlation(rows: &[Vec<f32>], one: usize, other: usize) -> f64 {
    let product = |row: &Vec<f32>| f64::from(row[one]) * f64::from(row[other]);
    rows.iter().map(product).sum::<f64>() / rows.len() as f64
}

/// Kept columns that the last of the rows are voted on as well without, by a forest grown on those before.
fn unused(
    examples: &Examples,
    pipeline: &Pipeline,
    rows: usize,
    request: &TrainRequest,
) -> Result<Vec<Dropped>, TrainError> {
    let judged = rows / JUDGED_PART;
    if judged < LEAST_JUDGED {
        return Ok(Vec::new());
    }
    let judges = examples.unseen(rows - judged..rows, pipeline);
    let whole = examples.grow(rows - judged, pipeline, request)?;
    let places: Vec<usize> = pipeline.kept.iter().map(|column| column.place).collect();
    let losses = judges.losses(&places, |row| whole.vote(row), request.seed);
    let count = places.len();
    let costs_nothing = places.into_iter().zip(losses).filter(|&(_, loss)| loss <= 0.0);
    let unused: Vec<Dropped> = costs_nothing
        .map(|(place, loss)| Dropped {
            place,
            reason: Reason::Unused { loss },
        })
        .collect();
    if unused.is_empty() || unused.len() == count {
        return Ok(Vec::new());
    }
    let mut fewer = pipeline.clone();
    unused.iter().for_each(|column| fewer.drop(*column));
    let without = examples.grow(rows - judges.labels.len(), &fewer, request)?;
    let is_as_good = judges.score(|row| without.vote(row)) >= judges.score(|row| whole.vote(row));
    Ok(if is_as_good { unused } else { Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_columns_that_say_the_same_the_first_stays() {
        let rows: Vec<Vec<Option<f32>>> = (0..50)
            .map(|row| {
                let value = (row * 7 % 50) as f32;
                vec![Some(value), Some((row % 5) as f32), Some(3.0 - 2.0 * value)]
            })
            .collect();
        let pipeline = Pipeline::fit(&rows, 3);
        let twins = twins(&pipeline, &rows);
        assert_eq!(twins.iter().map(|twin| twin.place).collect::<Vec<_>>(), [2]);
        let Reason::Twin { of: 0, correlation } = twins[0].reason else {
            panic!("{twins:?}");
        };
        assert!((correlation + 1.0).abs() < 1e-5, "{correlation}");
    }
}
