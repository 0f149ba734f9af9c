//! The natural logarithm as features need it: many times a decision, exact to six digits, the same on every machine.

use std::f32::consts::LN_2;
use std::f32::consts::SQRT_2;

const MANTISSA: u32 = 0x007f_ffff;
const MANTISSA_BITS: u32 = 23;
const ONE: u32 = 0x3f80_0000;
const BIAS: i32 = 127;

/// ln of `x`, which is a normal number above zero, to within a millionth.
///
/// The power of two is read off; what is left, `m` from 1/sqrt(2) to sqrt(2), is 2 artanh((m - 1) / (m + 1)), of which four
/// terms are enough.
pub(super) fn ln(x: f32) -> f32 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_logarithm() {
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
}
