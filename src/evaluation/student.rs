//! Student's t distribution, as far as an interval needs it.

/// The quantiles of one to five degrees of freedom; beyond, the expansion is right to a thousandth.
const FEW: [f64; 5] = [12.706, 4.303, 3.182, 2.776, 2.571];
/// The same of the normal distribution, which is that of endless freedom.
const NORMAL: f64 = 1.959_964;

/// What a draw of `freedom` (at least 1) degrees of freedom exceeds once in forty: the expansion 26.7.5 of Abramowitz and
/// Stegun, Handbook of Mathematical Functions, 1964.
pub(super) fn quantile_975(freedom: usize) -> f64 {
    if let Some(quantile) = freedom.checked_sub(1).and_then(|place| FEW.get(place)) {
        return *quantile;
    }
    let x = NORMAL;
    let terms = [
        (x.powi(3) + x) / 4.0,
        (5.0 * x.powi(5) + 16.0 * x.powi(3) + 3.0 * x) / 96.0,
        (3.0 * x.powi(7) + 19.0 * x.powi(5) + 17.0 * x.powi(3) - 15.0 * x) / 384.0,
        (79.0 * x.powi(9) + 776.0 * x.powi(7) + 1482.0 * x.powi(5) - 1920.0 * x.powi(3) - 945.0 * x) / 92_160.0,
    ];
    let freedom = freedom as f64;
    // Horner's way: each term is divided by one more power of the freedom than the one before.
    x + terms.iter().rev().fold(0.0, |sum, term| (sum + term) / freedom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (freedom, expected) in [
            (1, 12.706),
            (3, 3.182),
            (5, 2.571),
            (9, 2.262),
            (11, 2.201),
            (30, 2.042),
            (120, 1.980),
        ] {
            let found = quantile_975(freedom);
            assert!((found - expected).abs() < 0.0006, "{found} for {freedom}");
        }
    }
}
