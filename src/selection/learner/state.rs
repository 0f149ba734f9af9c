//! A learner as bytes, so that it goes on after a restart where it stopped.
//!
//! Little-endian: magic, version, the features' digest, how many rows, explored rows, models and bytes of the model
//! follow, then these, and a SHA-256 of everything before. Half a megabyte at most.

use std::sync::Arc;

use sha2::Digest;
use sha2::Sha256;

use crate::forest;
use crate::forest::ModelError;
use crate::selection::FEATURE_COUNT;
use crate::selection::Features;
use crate::selection::Learner;
use crate::selection::LearnerPreset;
use crate::selection::View;
use crate::selection::features;
use crate::selection::learner::ring::Ring;
use crate::selection::ranker_view;

const MAGIC: [u8; 8] = *b"SYLVANL\n";
const VERSION: u32 = 1;
const CHECKSUM_BYTES: usize = 32;
/// Magic, version, digest, number of models, and three counts.
const HEAD_BYTES: usize = 8 + 4 + 8 + 8 + 3 * 4;
const ROW_BYTES: usize = (FEATURE_COUNT + 1) * 4;

/// Why bytes are not the state of a learner that this build can go on with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Other bytes, or a state that is torn or altered.
    #[error("this is no learner's state, or it is cut short or altered; it is learned anew")]
    Damaged,
    /// Written by a build that learns from something else.
    #[error("the state is of another release, which learned from other features; it is learned anew")]
    OtherRelease,
    /// Its model cannot be read.
    #[error("the state's model cannot be used: {0}")]
    Model(#[from] ModelError),
}

impl Learner {
    /// What to go on with later.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let model = self.model.as_deref().map(forest::encode).unwrap_or_default();
        let mut out = MAGIC.to_vec();
        out.extend(VERSION.to_le_bytes());
        out.extend(features::schema().digest().to_le_bytes());
        out.extend(self.models.to_le_bytes());
        for count in [self.rows.len(), self.explored.len(), model.len()] {
            out.extend((count as u32).to_le_bytes());
        }
        for (row, label) in self.rows.rows().chain(self.explored.rows()) {
            out.extend(row.iter().chain([&label]).flat_map(|value| value.to_le_bytes()));
        }
        out.extend(model);
        let checksum = Sha256::digest(&out);
        out.extend(checksum);
        out
    }

    /// The learner that `bytes` are, which goes on with `preset` and `seed`.
    ///
    /// # Errors
    /// When they are no state, torn, altered, or of a build with other features.
    pub fn decode(bytes: &[u8], preset: LearnerPreset, seed: u64) -> Result<Self, StateError> {
        let content = checked(bytes)?;
        let (head, rest) = content.split_at_checked(HEAD_BYTES).ok_or(StateError::Damaged)?;
        let head = Head::read(head)?;
        let (rows, rest) = split_rows(rest, head.rows)?;
        let (explored, model) = split_rows(rest, head.explored)?;
        let mut learner = Self {
            models: head.models,
            ..Self::new(preset, seed)
        };
        fill(&mut learner.rows, rows);
        fill(&mut learner.explored, explored);
        if model.len() != head.model_bytes {
            return Err(StateError::Damaged);
        }
        if !model.is_empty() {
            let model = forest::decode(model)?;
            if ranker_view(&model) != Some(View::Alone) {
                return Err(StateError::OtherRelease);
            }
            learner.model = Some(Arc::new(model));
        }
        Ok(learner)
    }
}

struct Head {
    models: u64,
    rows: usize,
    explored: usize,
    model_bytes: usize,
}

impl Head {
    fn read(bytes: &[u8]) -> Result<Self, StateError> {
        let (version, rest) = bytes[MAGIC.len()..].split_first_chunk().ok_or(StateError::Damaged)?;
        let (digest, rest) = rest.split_first_chunk().ok_or(StateError::Damaged)?;
        if u32::from_le_bytes(*version) != VERSION || u64::from_le_bytes(*digest) != features::schema().digest() {
            return Err(StateError::OtherRelease);
        }
        let (models, rest) = rest.split_first_chunk().ok_or(StateError::Damaged)?;
        let mut counts = words(rest).map(|bytes| u32::from_le_bytes(bytes) as usize);
        let mut count = || counts.next().ok_or(StateError::Damaged);
        Ok(Self {
            models: u64::from_le_bytes(*models),
            rows: count()?,
            explored: count()?,
            model_bytes: count()?,
        })
    }
}

/// `bytes` as far as the checksum goes, if it holds.
fn checked(bytes: &[u8]) -> Result<&[u8], StateError> {
    let end = bytes.len().checked_sub(CHECKSUM_BYTES).ok_or(StateError::Damaged)?;
    let (content, checksum) = bytes.split_at(end);
    let is_whole = content.starts_with(&MAGIC) && Sha256::digest(content).as_slice() == checksum;
    is_whole.then_some(content).ok_or(StateError::Damaged)
}

fn split_rows(bytes: &[u8], count: usize) -> Result<(&[u8], &[u8]), StateError> {
    let length = count.checked_mul(ROW_BYTES).ok_or(StateError::Damaged)?;
    bytes.split_at_checked(length).ok_or(StateError::Damaged)
}

fn fill(ring: &mut Ring, rows: &[u8]) {
    for row in rows.chunks_exact(ROW_BYTES) {
        let mut values = words(row).map(f32::from_le_bytes);
        let mut features: Features = [0.0; FEATURE_COUNT];
        features
            .iter_mut()
            .zip(&mut values)
            .for_each(|(feature, value)| *feature = value);
        // What is not finite is passed over by the ring.
        ring.push(&features, values.next().unwrap_or(f32::NAN));
    }
}

/// Four bytes at a time.
fn words(bytes: &[u8]) -> impl Iterator<Item = [u8; 4]> {
    bytes
        .chunks_exact(4)
        .map(|chunk| chunk.try_into().expect("a chunk of four"))
}
