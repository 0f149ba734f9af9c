//! Which of several things happens next: a tournament over their times.

/// Times by position, of which the least is known. An update costs O(log n) and moves nothing else.
///
/// A tournament tree (Knuth: The Art of Computer Programming, volume 3, 5.4.1).
#[derive(Debug)]
pub(crate) struct Soonest {
    /// The players' times; as many as a whole tree has leaves.
    times: Vec<f64>,
    /// The winner of each match; match m plays the winners of 2m and 2m + 1, the first one is the final.
    winners: Vec<usize>,
}

impl Soonest {
    /// `count` things that never happen so far.
    pub(crate) fn new(count: usize) -> Self {
        let leaves = count.next_power_of_two().max(2);
        let mut soonest = Self {
            times: vec![f64::INFINITY; leaves],
            winners: vec![0; leaves],
        };
        for round in (1..leaves).rev() {
            soonest.play(round);
        }
        soonest
    }

    /// What happens next, and when; infinity for never.
    pub(crate) fn first(&self) -> (usize, f64) {
        let winner = self.winners[1];
        (winner, self.times[winner])
    }

    /// From now on the thing at `position` happens at `time`.
    pub(crate) fn set(&mut self, position: usize, time: f64) {
        self.times[position] = time;
        let mut round = (position + self.times.len()) / 2;
        while round >= 1 {
            self.play(round);
            round /= 2;
        }
    }

    /// The lower position wins a tie.
    fn play(&mut self, round: usize) {
        let (one, other) = (self.player(2 * round), self.player(2 * round + 1));
        self.winners[round] = if self.times[other] < self.times[one] {
            other
        } else {
            one
        };
    }

    fn player(&self, place: usize) -> usize {
        place
            .checked_sub(self.times.len())
            .unwrap_or_else(|| self.winners[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::proptest;

    proptest! {
        #[test]
        fn the_least_time_wins_after_any_updates(updates in vec((0usize..13, 0u32..1000), 1..200)) {
            let (mut soonest, mut times) = (Soonest::new(13), [f64::INFINITY; 13]);
            for (position, time) in updates {
                times[position] = f64::from(time);
                soonest.set(position, f64::from(time));
                let least = times.iter().copied().fold(f64::INFINITY, f64::min);
                let first = times.iter().position(|time| *time == least).unwrap();
                assert_eq!(soonest.first(), (first, least));
            }
        }
    }

    #[test]
    fn nothing_happens_before_it_is_set() {
        assert_eq!(Soonest::new(1).first(), (0, f64::INFINITY));
    }
}
