//! What is done to rows before a forest sees them: useless columns dropped, missing values filled, values scaled.
//!
//! A gateway serves raw figures. So the scaling is folded into the forest's thresholds, the columns keep their
//! places, and the fills travel with the model.

use serde::Deserialize;
use serde::Serialize;

use crate::forest::Forest;
use crate::forest::Schema;

/// How raw rows become what a classifier is trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pipeline {
    /// The columns that are kept, in order.
    pub(crate) kept: Vec<Prepared>,
    /// Those that are not.
    pub(crate) dropped: Vec<Dropped>,
    /// How many columns a raw row has.
    pub(crate) width: usize,
}

/// A column that is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dropped {
    /// Its place in a raw row.
    pub(crate) place: usize,
    /// Why.
    pub(crate) reason: Reason,
}

/// Why a column is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// It has no two different values.
    Constant,
    /// It says what the column at another place says.
    Twin {
        /// That place.
        of: usize,
        /// The correlation of the two.
        correlation: f64,
    },
    /// Nothing is lost without it.
    Unused {
        /// What is lost in balanced accuracy: nothing, or less.
        loss: f64,
    },
}

/// A column that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Prepared {
    /// Its place in a raw row.
    pub(crate) place: usize,
    /// What stands in for a missing value: the median.
    pub(crate) fill: f32,
    /// Subtracted from a value: the mean.
    pub(crate) offset: f64,
    /// What the rest is divided by: the standard deviation, above 0.
    pub(crate) scale: f64,
}

impl Pipeline {
    /// The pipeline that fits `rows`, which all have `width` columns. Columns without two different values are dropped.
    pub(crate) fn fit(rows: &[Vec<Option<f32>>], width: usize) -> Self {
        let column = |place: usize| rows.iter().filter_map(|row| row[place]).collect();
        let mut pipeline = Self {
            kept: Vec::new(),
            dropped: Vec::new(),
            width,
        };
        for place in 0..width {
            match Prepared::fit(place, column(place), rows.len()) {
                Some(column) => pipeline.kept.push(column),
                None => pipeline.dropped.push(Dropped {
                    place,
                    reason: Reason::Constant,
                }),
            }
        }
        pipeline
    }

    /// Keeps a column no longer.
    pub(crate) fn drop(&mut self, column: Dropped) {
        self.kept.retain(|kept| kept.place != column.place);
        self.dropped.push(column);
        self.dropped.sort_by_key(|dropped| dropped.place);
    }

    /// The kept columns of `row`, filled and scaled.
    pub(crate) fn apply(&self, row: &[Option<f32>]) -> impl Iterator<Item = f32> {
        self.kept
            .iter()
            .map(|column| column.scaled(row[column.place].unwrap_or(column.fill)))
    }

    /// For each raw column what stands in for a missing value.
    pub(crate) fn fills(&self) -> Vec<f32> {
        let mut fills = vec![0.0; self.width];
        for column in &self.kept {
            fills[column.place] = column.fill;
        }
        fills
    }

    /// The names of the kept columns; `None` when none is.
    pub(crate) fn kept_schema(&self, raw: &Schema) -> Option<Schema> {
        Schema::new(
            self.kept
                .iter()
                .map(|column| raw.names()[column.place].clone())
                .collect(),
        )
    }

    /// The pipeline as the model file keeps it.
    pub(crate) fn json(&self) -> String {
        // Numbers and words always become JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// `forest`, grown on prepared rows, as one over raw rows of `raw`'s columns.
    pub(crate) fn unfold(&self, forest: &Forest, raw: &Schema) -> Forest {
        forest.restated(raw, |feature, threshold| {
            let column = &self.kept[feature];
            (column.place, column.raw(threshold))
        })
    }
}

impl Prepared {
    fn fit(place: usize, mut known: Vec<f32>, rows: usize) -> Option<Self> {
        known.sort_by(f32::total_cmp);
        let (first, last) = (*known.first()?, *known.last()?);
        let fill = median(&known);
        // A column that varies only in being missing tells who failed to answer, not how busy a backend is.
        if first == last {
            return None;
        }
        let fills = (rows - known.len()) as f64 * f64::from(fill);
        let offset = (known.iter().copied().map(f64::from).sum::<f64>() + fills) / rows as f64;
        let spread = |value: f32| (f64::from(value) - offset).powi(2);
        let squares = known.iter().copied().map(spread).sum::<f64>() + (rows - known.len()) as f64 * spread(fill);
        Some(Self {
            place,
            fill,
            offset,
            scale: (squares / rows as f64).sqrt(),
        })
    }

    fn scaled(&self, value: f32) -> f32 {
        ((f64::from(value) - self.offset) / self.scale) as f32
    }

    fn raw(&self, scaled: f32) -> f32 {
        (f64::from(scaled) * self.scale + self.offset) as f32
    }
}

fn median(sorted: &[f32]) -> f32 {
    let upper = sorted[sorted.len() / 2];
    let lower = sorted[(sorted.len() - 1) / 2];
    lower + (upper - lower) / 2.0
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::proptest;
    use proptest::strategy::Strategy;

    use super::*;
    use crate::forest::Classes;
    use crate::forest::GrowParams;
    use crate::forest::Samples;
    use crate::forest::grow_classifier;

    fn schema(width: usize) -> Schema {
        Schema::new((0..width).map(|place| format!("x{place}")).collect()).unwrap()
    }

    #[test]
    fn constant_and_empty_columns_are_dropped() {
        let rows = [vec![Some(1.0), Some(5.0), None], vec![Some(3.0), None, None]];
        let pipeline = Pipeline::fit(&rows, 3);
        assert_eq!(
            pipeline.kept,
            [Prepared {
                place: 0,
                fill: 2.0,
                offset: 2.0,
                scale: 1.0
            }]
        );
        assert_eq!(pipeline.fills(), [2.0, 0.0, 0.0]);
        assert_eq!(pipeline.apply(&rows[1]).collect::<Vec<_>>(), [1.0]);
        assert_eq!(pipeline.kept_schema(&schema(3)).unwrap().names(), ["x0"]);
    }

    #[test]
    fn a_missing_value_becomes_the_median() {
        let rows = [vec![Some(1.0)], vec![Some(2.0)], vec![Some(90.0)], vec![None]];
        let pipeline = Pipeline::fit(&rows, 1);
        assert_eq!(pipeline.fills(), [2.0]);
        assert_eq!(
            pipeline.apply(&rows[3]).collect::<Vec<_>>(),
            pipeline.apply(&rows[1]).collect::<Vec<_>>()
        );
    }

    proptest! {
        #[test]
        fn a_forest_votes_on_raw_rows_as_it_did_on_prepared_ones(
            rows in vec(vec(option::of((0..1000_u16).prop_map(f32::from)), 3), 10..40),
        ) {
            let rows: Vec<Vec<Option<f32>>> = rows;
            let pipeline = Pipeline::fit(&rows, 3);
            let Some(kept) = pipeline.kept_schema(&schema(3)) else { return Ok(()) };
            let prepared = rows.iter().flat_map(|row| pipeline.apply(row)).collect();
            let samples = Samples::new(kept, prepared).unwrap();
            let classes = Classes::new((0..rows.len()).map(|row| row % 2).collect(), 2).unwrap();
            let params = GrowParams { trees: 5, min_leaf: 1, min_split: 2, ..GrowParams::default() };
            let forest = grow_classifier(&samples, &classes, &params, 1).unwrap();
            let raw = pipeline.unfold(&forest, &schema(3));
            for (at, row) in rows.iter().enumerate() {
                let fills = pipeline.fills();
                let filled: Vec<f32> = row.iter().zip(fills).map(|(value, fill)| value.unwrap_or(fill)).collect();
                assert_eq!(raw.vote(&filled), forest.vote(samples.row(at)));
            }
        }
    }
}
