//! Axes of charts: where a value has its place, and which places are marked.

/// Marks that have room beside each other.
const MOST_MARKS: f64 = 8.0;
/// Above the highest value and, on a logarithmic axis, below the lowest: a line along the edge would be cut.
const AIR: f64 = 0.04;
/// What rounding leaves of a place at the edge.
const CLOSE: f64 = 1e-9;

/// What runs along one side of a chart.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What it is, with its unit.
    pub label: String,
    /// How its values are spread.
    pub scale: Scale,
}

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Evenly; from 0 on.
    Linear,
    /// By their logarithm; values at or below 0 have no place.
    Logarithmic,
    /// Parts of a whole by how many nines they have: 0.9 is one, 0.99 two. The slowest answers take as much room as all
    /// others; the whole itself has no place.
    Nines,
}

impl Axis {
    /// An axis.
    #[must_use]
    pub fn new(label: &str, scale: Scale) -> Self {
        Self {
            label: label.to_owned(),
            scale,
        }
    }

    /// Where `value` is, if it is anywhere.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let place = match self.scale {
            Scale::Linear => value,
            Scale::Logarithmic => value.log10(),
            // A difference, since a minus before it would make -0 of the first place.
            Scale::Nines => 0.0 - (1.0 - value).log10(),
        };
        place.is_finite().then_some(place)
    }

    /// The places from `low` to `high`, and from 0 on where that is a place.
    pub(super) fn begun_at_zero(&self, (low, high): (f64, f64)) -> (f64, f64) {
        match self.scale {
            Scale::Linear => (low.min(0.0), high),
            Scale::Logarithmic | Scale::Nines => (low, high),
        }
    }

    /// Some more than the places from `low` to `high`.
    pub(super) fn with_air(&self, (low, high): (f64, f64)) -> (f64, f64) {
        let air = AIR * (high - low);
        match self.scale {
            Scale::Linear => (low, high + air),
            Scale::Logarithmic => (low - air, high + air),
            Scale::Nines => (low, high),
        }
    }

    /// The places to mark between `low` and `high`, which are places too.
    pub(super) fn marks(&self, (low, high): (f64, f64)) -> Vec<f64> {
        let mut marks = match self.scale {
            Scale::Linear => even(low, high),
            Scale::Logarithmic => logarithmic(low, high),
            Scale::Nines => [0.0, 0.5_f64.log10().abs()]
                .into_iter()
                .chain(whole(low.max(1.0), high))
                .collect(),
        };
        marks.retain(|place| (low - CLOSE..=high + CLOSE).contains(place));
        marks
    }

    /// What is written at `place`.
    pub(super) fn text(&self, place: f64) -> String {
        match self.scale {
            Scale::Linear => number(place),
            Scale::Logarithmic => number(10_f64.powf(place)),
            Scale::Nines => format!("{}%", number(100.0 - 100.0 * 10_f64.powf(-place))),
        }
    }
}

/// Multiples of 1, 2 or 5 at some power of ten.
fn even(low: f64, high: f64) -> Vec<f64> {
    let least = (high - low) / MOST_MARKS;
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0].map(|factor| factor * power);
    let step = step.into_iter().find(|step| *step >= least).unwrap_or(10.0 * power);
    let first = (low / step - CLOSE).ceil() as i64;
    let last = (high / step + CLOSE).floor() as i64;
    (first..=last).map(|count| count as f64 * step).collect()
}

/// Powers of ten, with 2 and 5 times each where there is room, or even values within less than one decade.
fn logarithmic(low: f64, high: f64) -> Vec<f64> {
    if high - low < 1.0 {
        let values = even(10_f64.powf(low), 10_f64.powf(high));
        return values.into_iter().map(f64::log10).collect();
    }
    let factors: &[f64] = if 3.0 * (high - low) > MOST_MARKS {
        &[1.0]
    } else {
        &[1.0, 2.0, 5.0]
    };
    let decades = whole(low - 1.0, high);
    decades
        .flat_map(|decade| factors.iter().map(move |factor| decade + factor.log10()))
        .collect()
}

/// The whole numbers between `low` and `high`.
fn whole(low: f64, high: f64) -> impl Iterator<Item = f64> {
    (low.ceil() as i64..=high.floor() as i64).map(|count| count as f64)
}

/// `number` without digits that say nothing.
fn number(number: f64) -> String {
    let text = format!("{number:.5}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scale: Scale, values: (f64, f64), expected: &str) {
        let axis = Axis::new("", scale);
        let places = axis.place(values.0).zip(axis.place(values.1)).unwrap();
        let marks = axis.marks(places).into_iter().map(|place| axis.text(place));
        assert_eq!(marks.collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn even_marks_are_round_numbers() {
        check(Scale::Linear, (0.0, 60.0), "0 10 20 30 40 50 60");
        check(Scale::Linear, (3.0, 4.0), "3 3.2 3.4 3.6 3.8 4");
        check(Scale::Linear, (0.0, 0.7), "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7");
    }

    #[test]
    fn logarithmic_marks_fit_the_room() {
        check(Scale::Logarithmic, (0.9, 120.0), "1 2 5 10 20 50 100");
        check(Scale::Logarithmic, (0.01, 10_000.0), "0.01 0.1 1 10 100 1000 10000");
        check(Scale::Logarithmic, (9.0, 14.0), "9 10 11 12 13 14");
    }

    #[test]
    fn the_slowest_have_as_much_room_as_the_rest() {
        check(Scale::Nines, (0.0, 0.9995), "0% 50% 90% 99% 99.9%");
        let axis = Axis::new("", Scale::Nines);
        let places = [0.0, 0.9, 0.99, 0.999].map(|part| axis.place(part).map(|place| (place * 1000.0).round()));
        assert_eq!(places, [0.0, 1000.0, 2000.0, 3000.0].map(Some));
    }

    #[test]
    fn what_has_no_place_is_nowhere() {
        let place = |scale, value| Axis::new("", scale).place(value);
        assert_eq!(place(Scale::Logarithmic, 0.0), None);
        assert_eq!(place(Scale::Logarithmic, -1.0), None);
        assert_eq!(place(Scale::Nines, 1.0), None);
        assert_eq!(place(Scale::Linear, f64::INFINITY), None);
    }
}
