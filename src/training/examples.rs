//! What is learned from: rows in the order of time, and the class of each.

use crate::forest::METRICS;
use crate::forest::ModelKind;
use crate::forest::Schema;
use crate::training::TrainError;
use crate::training::dataset::Origin;
use crate::training::dataset::Row;
use crate::training::dataset::Table;
use crate::training::joint::Dropped;
use crate::training::joint::Joint;
use crate::training::joint::Member;
use crate::training::summary::ClassSummary;

/// Rows in the order of time, and the class of each.
#[derive(Clone, Debug)]
pub(crate) struct Examples {
    /// What a forest over them can serve.
    pub(crate) kind: ModelKind,
    /// The pool whose rows were used; `None` for the paper's table.
    pub(crate) pool: Option<String>,
    /// What the columns are called.
    pub(crate) schema: Schema,
    /// The backends that the classes stand for.
    pub(crate) classes: Vec<Member>,
    /// Row by row the features; `None` where one is missing.
    pub(crate) features: Vec<Vec<Option<f32>>>,
    /// The class of each row.
    pub(crate) labels: Vec<usize>,
    /// Polls that make no row.
    pub(crate) dropped: Dropped,
}

impl Examples {
    /// What `table` gives to learn from; of the pool `wanted` where there are several.
    ///
    /// # Errors
    /// When there is nothing to choose between, or the pool is not clear.
    pub(crate) fn new(table: &Table, wanted: Option<&str>) -> Result<Self, TrainError> {
        match table.origin {
            Origin::Recorded => Self::joint(table, wanted),
            Origin::Paper => Self::paper(table),
        }
    }

    /// Joint rows of one pool, the class being the backend that did best.
    fn joint(table: &Table, wanted: Option<&str>) -> Result<Self, TrainError> {
        let pool = choose_pool(table, wanted)?;
        let rows: Vec<Row> = table.rows.iter().filter(|row| row.pool == pool).cloned().collect();
        let Joint {
            backends,
            features,
            best,
            dropped,
        } = Joint::new(&rows);
        let count = backends.len();
        let schema = Schema::joint(count)
            .filter(|_| count > 1)
            .ok_or(TrainError::Backends { found: count })?;
        let kind = ModelKind::Classifier { backends: count };
        Ok(Self {
            kind,
            pool: Some(pool),
            schema,
            classes: backends,
            features,
            labels: best,
            dropped,
        })
    }

    /// The paper's rows as they are, the class being the backend that a row is of.
    fn paper(table: &Table) -> Result<Self, TrainError> {
        let mut rows: Vec<&Row> = table.rows.iter().collect();
        rows.sort_by_key(|row| row.timestamp);
        let mut ids: Vec<u32> = rows.iter().map(|row| row.server_id).collect();
        let labels = ids.clone();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() < 2 {
            return Err(TrainError::OneClass);
        }
        let schema = Schema::new(METRICS.map(ToOwned::to_owned).to_vec()).expect("there are four metrics");
        Ok(Self {
            kind: ModelKind::Reproduction,
            pool: None,
            schema,
            labels: labels
                .iter()
                .map(|id| ids.partition_point(|other| other < id))
                .collect(),
            classes: ids
                .iter()
                .map(|&server_id| Member {
                    server_id,
                    address: String::new(),
                })
                .collect(),
            features: rows.iter().map(|row| row.metrics.to_vec()).collect(),
            dropped: Dropped::default(),
        })
    }

    /// Leaves out the rows of classes that have fewer than `least`, and those classes.
    ///
    /// # Errors
    /// When fewer than two classes remain.
    pub(crate) fn leave_out(&mut self, least: usize) -> Result<Vec<ClassSummary>, TrainError> {
        let summaries = self.class_summaries();
        let is_kept: Vec<bool> = summaries.iter().map(|class| class.rows >= least).collect();
        if is_kept.iter().filter(|&&kept| kept).count() < 2 {
            let counts = summaries.iter().map(|class| class.rows).collect();
            return Err(TrainError::TooFewOfAClass {
                counts,
                least,
                dropped: self.dropped,
            });
        }
        let place = |class: usize| is_kept[..class].iter().filter(|&&kept| kept).count();
        let rows: Vec<usize> = (0..self.labels.len())
            .filter(|&row| is_kept[self.labels[row]])
            .collect();
        self.features = rows.iter().map(|&row| self.features[row].clone()).collect();
        self.labels = rows.iter().map(|&row| place(self.labels[row])).collect();
        let mut kept = is_kept.iter();
        self.classes.retain(|_| kept.next() == Some(&true));
        let left_out = summaries.into_iter().zip(is_kept).filter(|(_, kept)| !kept);
        Ok(left_out.map(|(class, _)| class).collect())
    }

    /// The classes, and how many rows are of each.
    pub(crate) fn class_summaries(&self) -> Vec<ClassSummary> {
        let counts = self.counts(self.labels.len());
        let class = |(member, rows): (&Member, usize)| ClassSummary {
            server_id: member.server_id,
            address: member.address.clone(),
            rows,
        };
        self.classes.iter().zip(counts).map(class).collect()
    }

    /// How many of the first `rows` rows are of each class.
    pub(crate) fn counts(&self, rows: usize) -> Vec<usize> {
        let count = |class| self.labels[..rows].iter().filter(|&&label| label == class).count();
        (0..self.classes.len()).map(count).collect()
    }
}

fn choose_pool(table: &Table, wanted: Option<&str>) -> Result<String, TrainError> {
    let mut known: Vec<String> = table.rows.iter().map(|row| row.pool.clone()).collect();
    known.sort_unstable();
    known.dedup();
    match (wanted, known.as_slice()) {
        (Some(wanted), _) if known.iter().any(|name| name == wanted) => Ok(wanted.to_owned()),
        (Some(wanted), _) => Err(TrainError::NoSuchPool {
            wanted: wanted.to_owned(),
            known,
        }),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(TrainError::SeveralPools(known)),
    }
}
