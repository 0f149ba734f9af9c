//! A round as bytes, so that a distillation that was interrupted goes on with the next one.

use sha2::Digest;
use sha2::Sha256;

use crate::distillation::Plan;
use crate::distillation::Round;
use crate::forest::Comparisons;
use crate::forest::Decisions;
use crate::selection::View;

const MAGIC: [u8; 8] = *b"SYLVAND\n";
const CHECKSUM_BYTES: usize = 32;
const DIGEST_BYTES: usize = 32;
/// Magic, the plan's digest, the round's number, what was explained, and two counts.
const HEAD_BYTES: usize = MAGIC.len() + DIGEST_BYTES + 4 + 8 + 2 * 8;

impl Round {
    /// What to go on with later: little-endian, and a SHA-256 behind it.
    #[must_use]
    pub fn encode(&self, plan: &Plan, number: u32) -> Vec<u8> {
        let (sizes, labels, values) = self.decisions.parts();
        let mut out = MAGIC.to_vec();
        out.reserve(HEAD_BYTES + 2 * sizes.len() + 4 * (labels.len() + values.len()) + CHECKSUM_BYTES);
        out.extend(digest(plan));
        out.extend(number.to_le_bytes());
        out.extend(self.explained_before.unwrap_or(f64::NAN).to_le_bytes());
        for count in [sizes.len(), labels.len()] {
            out.extend((count as u64).to_le_bytes());
        }
        out.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
        out.extend(labels.iter().chain(values).flat_map(|value| value.to_le_bytes()));
        let checksum = Sha256::digest(&out);
        out.extend(checksum);
        out
    }

    /// Round `number` of `plan`, if that is what `bytes` are: whole, and of this release.
    #[must_use]
    pub fn decode(bytes: &[u8], plan: &Plan, number: u32) -> Option<Self> {
        let (content, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM_BYTES)?)?;
        if Sha256::digest(content).as_slice() != checksum {
            return None;
        }
        let mut rest = content.strip_prefix(&MAGIC)?.strip_prefix(&digest(plan))?;
        if u32::from_le_bytes(take(&mut rest)?) != number {
            return None;
        }
        let explained = f64::from_le_bytes(take(&mut rest)?);
        let decisions = u64::from_le_bytes(take(&mut rest)?) as usize;
        let candidates = u64::from_le_bytes(take(&mut rest)?) as usize;
        let (sizes, rest) = rest.split_at_checked(2 * decisions)?;
        let (labels, values) = rest.split_at_checked(4 * candidates)?;
        if values.len() != labels.len() * View::Compared.schema().width() {
            return None;
        }
        let sizes = sizes
            .chunks_exact(2)
            .map(|size| u16::from_le_bytes([size[0], size[1]]))
            .collect();
        let floats = |bytes: &[u8]| {
            bytes
                .chunks_exact(4)
                .map(|it| f32::from_le_bytes([it[0], it[1], it[2], it[3]]))
                .collect()
        };
        let comparisons = Comparisons::new(floats(labels), sizes)?;
        Some(Self {
            decisions: Decisions::new(floats(values), comparisons),
            explained_before: (!explained.is_nan()).then_some(explained),
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

/// Tells plans apart whose rounds differ. How many rounds there are, and how many threads, makes none other.
fn digest(plan: &Plan) -> [u8; DIGEST_BYTES] {
    let mut growth = plan.growth;
    growth.params.threads = std::num::NonZeroUsize::MIN;
    let told = format!(
        "{} {} {} {} {} {} {growth:?}",
        env!("CARGO_PKG_VERSION"),
        View::Compared.schema().digest(),
        plan.worlds,
        plan.arrivals,
        plan.decisions,
        plan.seed,
    );
    Sha256::digest(told).into()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::distillation::tests::plan;
    use crate::forest::Rows;

    fn round() -> Round {
        let width = View::Compared.schema().width();
        let mut rows = Rows::new(width, 2);
        (0..2).for_each(|row| rows.add().fill(row as f32));
        let mut decisions = Decisions::default();
        decisions.push(&rows, &[0.5, -0.5]);
        decisions.push(&rows, &[1.0, -1.0]);
        Round {
            decisions,
            explained_before: Some(0.25),
        }
    }

    #[test]
    fn a_round_comes_back_as_it_was() {
        for explained_before in [None, Some(0.25)] {
            let round = Round {
                explained_before,
                ..round()
            };
            let bytes = round.encode(&plan(1), 2);
            assert_eq!(Round::decode(&bytes, &plan(1), 2), Some(round));
        }
    }

    #[test]
    fn rounds_of_another_plan_and_other_bytes_are_none() {
        let bytes = round().encode(&plan(1), 2);
        let others = [
            (plan(1), 1),
            (Plan { seed: 2, ..plan(1) }, 2),
            (Plan { worlds: 9, ..plan(1) }, 2),
        ];
        for (plan, number) in others {
            assert_eq!(Round::decode(&bytes, &plan, number), None);
        }
        for length in 0..bytes.len() {
            assert_eq!(Round::decode(&bytes[..length], &plan(1), 2), None, "{length} bytes");
        }
        let threads = NonZeroUsize::new(7).unwrap();
        assert!(Round::decode(&bytes, &Plan { threads, ..plan(1) }, 2).is_some());
    }
}
