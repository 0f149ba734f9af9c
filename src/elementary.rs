//! The natural logarithm and exponential as statistics and features need them: many times a decision, exact to six
//! digits, and the same on every machine, which those of a C library are not. Neither branches, so that of several numbers at
//! once, [`lns`] and [`exps`], a processor works out four or more at a time.

use std::f32::consts::LN_2;
use std::f32::consts::LOG2_E;
use std::f32::consts::SQRT_2;

const MANTISSA: u32 = 0x007f_ffff;
const MANTISSA_BITS: u32 = 23;
const ONE: u32 = 0x3f80_0000;
const BIAS: i32 = 127;
/// Added to a small number and taken away again, it leaves the nearest whole one: 1.5 * 2^23.
const ROUNDER: f32 = 12_582_912.0;
/// Powers of two within these are normal numbers, and so is what is made of them.
const POWERS: std::ops::RangeInclusive<f32> = -100.0..=100.0;

/// ln of `x`, which is a normal number above zero, to within a millionth.
///
/// The power of two is read off; what is left, `m` from 1/sqrt(2) to sqrt(2), is 2 artanh((m - 1) / (m + 1)), of which four
/// terms are enough.
#[inline]
pub(crate) fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    let above_one = f32::from_bits(bits & MANTISSA | ONE);
    let is_high = above_one > SQRT_2;
    let rest = if is_high { 0.5 * above_one } else { above_one };
    let power = (bits >> MANTISSA_BITS) as i32 - BIAS + i32::from(is_high);
    let t = (rest - 1.0) / (rest + 1.0);
    let square = t * t;
    let series = 1.0 + square * (1.0 / 3.0 + square * (1.0 / 5.0 + square * (1.0 / 7.0)));
    2.0 * t * series + power as f32 * LN_2
}

/// e to the power of `x`, to within a millionth of it; 0 where it is below 1e-30, and never more than 2^100.
///
/// x / ln 2 is a whole number, which becomes the power of two, and a rest `r` of at most a half, of whose series seven terms
/// are enough.
#[inline]
pub(crate) fn exp(x: f32) -> f32 {
    const TERMS: [f32; 7] = [
        1.0,
        LN_2,
        LN_2 * LN_2 / 2.0,
        LN_2 * LN_2 * LN_2 / 6.0,
        LN_2 * LN_2 * LN_2 * LN_2 / 24.0,
        LN_2 * LN_2 * LN_2 * LN_2 * LN_2 / 120.0,
        LN_2 * LN_2 * LN_2 * LN_2 * LN_2 * LN_2 / 720.0,
    ];
    let asked = x * LOG2_E;
    let power = asked.max(*POWERS.start()).min(*POWERS.end());
    let rounded = power + ROUNDER;
    let r = power - (rounded - ROUNDER);
    let series = TERMS.iter().rev().fold(0.0, |sum, term| sum * r + term);
    // The whole number stands in the lowest bits of what was rounded.
    let two_to_whole = f32::from_bits((rounded.to_bits() << MANTISSA_BITS).wrapping_add(ONE));
    if asked < *POWERS.start() {
        0.0
    } else {
        series * two_to_whole
    }
}

/// [`ln`] of each.
#[inline]
pub(crate) fn lns<const N: usize>(mut numbers: [f32; N]) -> [f32; N] {
    for number in &mut numbers {
        *number = ln(*number);
    }
    numbers
}

/// [`exp`] of each.
#[inline]
pub(crate) fn exps<const N: usize>(mut numbers: [f32; N]) -> [f32; N] {
    for number in &mut numbers {
        *number = exp(*number);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ln_is_the_logarithm() {
        let mut x = 1e-12_f32;
        while x < 1e12 {
            let (found, expected) = (ln(x), f64::from(x).ln() as f32);
            assert!(
                (found - expected).abs() <= 1e-6 * expected.abs().max(1.0),
                "ln {x} is {expected}, not {found}"
            );
            x *= 1.0007;
        }
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn exp_is_the_exponential() {
        let mut x = -60.0_f32;
        while x < 60.0 {
            let (found, expected) = (f64::from(exp(x)), f64::from(x).exp());
            // The product with 1 / ln 2 is rounded, which shows the more the larger it is.
            let bound = 1e-6 + 1.2e-7 * f64::from(x.abs());
            assert!(
                (found / expected - 1.0).abs() < bound,
                "exp {x} is {expected}, not {found}"
            );
            x += 0.0013;
        }
        assert_eq!(exp(0.0), 1.0);
    }

    #[test]
    fn several_at_once_are_each_as_it_is_alone() {
        let numbers = [0.1, 1.0, 7.5, 1e-20, 3e8, 0.999, 2.0, 1.5];
        assert_eq!(lns(numbers), numbers.map(ln));
        assert_eq!(exps(numbers), numbers.map(exp));
    }

    #[test]
    fn exp_ends_somewhere() {
        assert_eq!([exp(f32::NEG_INFINITY), exp(-1e19), exp(-1000.0)], [0.0; 3]);
        assert!(exp(f32::INFINITY).is_finite() && exp(1e9) > 1e30);
    }
}
