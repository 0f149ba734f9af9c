//! What is learned from: rows in the order of time, and the class of each.

use crate::forest::METRICS;
use crate::forest::ModelKind;
use crate::forest::Schema;
use crate::selection::FEATURE_NAMES;
use crate::selection::schema;
use crate::training::TrainError;
use crate::training::dataset::Origin;
use crate::training::dataset::Row;
use crate::training::dataset::Skipped;
use crate::training::dataset::Table;
use crate::training::decisions::Decided;
use crate::training::decisions::Decisions;
use crate::training::joint::Dropped;
use crate::training::joint::Joint;
use crate::training::joint::Member;
use crate::training::summary::ClassSummary;
use crate::training::summary::DataSummary;
use crate::training::summary::MissingSummary;

/// What can be learned from.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A recorded data set, or the paper's table.
    Table(&'a Table),
    /// A decision log.
    Decisions(&'a Decisions),
}

impl Input<'_> {
    /// When each row was taken, in seconds since the Unix epoch.
    fn times(self) -> Vec<f64> {
        match self {
            Self::Table(table) => table.rows.iter().map(|row| row.timestamp.seconds()).collect(),
            Self::Decisions(decisions) => decisions.rows.iter().map(|row| row.at.seconds()).collect(),
        }
    }

    fn skipped(&self) -> &Skipped {
        match self {
            Self::Table(table) => &table.skipped,
            Self::Decisions(decisions) => &decisions.skipped,
        }
    }

    fn missing(self) -> Vec<MissingSummary> {
        let summary = |(column, rows): (&'static str, usize)| MissingSummary { column, rows };
        match self {
            Self::Table(table) => METRICS.into_iter().zip(table.missing()).map(summary).collect(),
            Self::Decisions(decisions) => FEATURE_NAMES
                .into_iter()
                .zip(decisions.missing())
                .map(summary)
                .collect(),
        }
    }
}

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
    /// What `input` gives to learn from; of the pool `wanted` where there are several.
    ///
    /// # Errors
    /// When there is nothing to choose between, or the pool is not clear.
    pub(crate) fn new(input: Input<'_>, wanted: Option<&str>) -> Result<Self, TrainError> {
        match input {
            Input::Table(table) if table.origin == Origin::Recorded => Self::joint(table, wanted),
            Input::Table(table) => Self::paper(table),
            Input::Decisions(decisions) => Self::decided(decisions, wanted),
        }
    }

    /// Decisions of one pool, the class being whether the answer took longer than usual.
    fn decided(decisions: &Decisions, wanted: Option<&str>) -> Result<Self, TrainError> {
        let pool = choose_pool(decisions.rows.iter().map(|row| row.pool.as_str()), wanted)?;
        let mut rows: Vec<&Decided> = decisions.rows.iter().filter(|row| row.pool == pool).collect();
        rows.sort_by_key(|row| row.at);
        let class = |(server_id, address): (u32, &str)| Member {
            server_id,
            address: address.to_owned(),
        };
        Ok(Self {
            kind: ModelKind::Ranker,
            pool: Some(pool),
            schema: schema(),
            classes: [(0, "no slower than usual"), (1, "slower than usual")]
                .map(class)
                .to_vec(),
            features: rows.iter().map(|row| row.features.clone()).collect(),
            labels: rows.iter().map(|row| usize::from(row.is_slow)).collect(),
            dropped: Dropped::default(),
        })
    }

    /// Joint rows of one pool, the class being the backend that did best.
    fn joint(table: &Table, wanted: Option<&str>) -> Result<Self, TrainError> {
        let pool = choose_pool(table.rows.iter().map(|row| row.pool.as_str()), wanted)?;
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

    /// What was in `input`, and how much of it is learned from.
    pub(crate) fn data_summary(&self, input: Input<'_>) -> DataSummary {
        let (times, skipped) = (input.times(), input.skipped());
        DataSummary {
            rows: times.len(),
            skipped: skipped.count,
            torn: skipped.torn,
            duplicates: skipped.duplicates,
            headers: skipped.headers,
            first_seconds: times.iter().copied().fold(f64::INFINITY, f64::min),
            last_seconds: times.iter().copied().fold(0.0, f64::max),
            missing: input.missing(),
            training_rows: self.labels.len(),
            dropped: self.dropped,
        }
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

fn choose_pool<'a>(pools: impl Iterator<Item = &'a str>, wanted: Option<&str>) -> Result<String, TrainError> {
    let mut known: Vec<&str> = pools.collect();
    known.sort_unstable();
    known.dedup();
    match (wanted, known.as_slice()) {
        (Some(wanted), _) if known.contains(&wanted) => Ok(wanted.to_owned()),
        (Some(wanted), _) => Err(TrainError::NoSuchPool {
            wanted: wanted.to_owned(),
            known: owned(&known),
        }),
        (None, [only]) => Ok((*only).to_owned()),
        (None, _) => Err(TrainError::SeveralPools(owned(&known))),
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}
