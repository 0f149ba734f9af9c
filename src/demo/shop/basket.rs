//! The basket, and how it travels: in a signed cookie, so that whichever instance answers next knows it too.

use std::fmt::Write;
use std::num::NonZeroU32;

use ring::pbkdf2;

/// The cookie's name.
pub(super) const COOKIE: &str = "basket";
/// The most of one product.
pub(super) const MOST_OF_ONE: u32 = 20;
/// The most different products.
pub(super) const MOST_PRODUCTS: usize = 20;

/// Every instance signs with the same key. It protects nothing: it is here so that checking costs what it costs.
const KEY: &[u8] = b"the sample shop sells nothing";
/// Rounds of HMAC-SHA-256 a signature takes, twice for a request that changes the basket.
const SIGNING_ROUNDS: NonZeroU32 = NonZeroU32::new(4_000).expect("4,000 is not zero");
/// Bytes of a signature.
const SIGNATURE: usize = 16;

/// What a visitor means to buy: products and quantities, in the order they were put in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Basket {
    lines: Vec<(u32, u32)>,
}

impl Basket {
    /// The basket in a cookie's value; an empty one when the signature does not fit.
    pub(super) fn from_cookie(value: &str) -> Self {
        let lines = value
            .rsplit_once('-')
            .filter(|(lines, signature)| is_signed(lines, signature))
            .and_then(|(lines, _)| lines.split('.').map(parse_line).collect());
        Self {
            lines: lines.unwrap_or_default(),
        }
    }

    /// The cookie's value, signed.
    pub(super) fn to_cookie(&self) -> String {
        let lines: Vec<String> = self
            .lines
            .iter()
            .map(|(id, quantity)| format!("{id}x{quantity}"))
            .collect();
        let lines = lines.join(".");
        let signature = sign(&lines);
        format!("{lines}-{signature}")
    }

    /// Products and quantities.
    pub(super) fn lines(&self) -> &[(u32, u32)] {
        &self.lines
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Puts `quantity` more of `product` in.
    ///
    /// # Errors
    /// Says which limit of the basket that would pass.
    pub(super) fn add(&mut self, product: u32, quantity: u32) -> Result<(), String> {
        let held = self.lines.iter().position(|(id, _)| *id == product);
        let before = held.map_or(0, |index| self.lines[index].1);
        let after = before.saturating_add(quantity);
        if after > MOST_OF_ONE || (held.is_none() && self.lines.len() >= MOST_PRODUCTS) {
            return Err(format!(
                "the basket holds at most {MOST_OF_ONE} of one product and {MOST_PRODUCTS} products"
            ));
        }
        match held {
            Some(index) => self.lines[index].1 = after,
            None => self.lines.push((product, after)),
        }
        Ok(())
    }
}

/// The signature of `text` as hexadecimal digits.
pub(super) fn sign(text: &str) -> String {
    let mut signature = [0; SIGNATURE];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        SIGNING_ROUNDS,
        text.as_bytes(),
        KEY,
        &mut signature,
    );
    signature.iter().fold(String::new(), |mut digits, byte| {
        // Writing into a string does not fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn is_signed(text: &str, signature: &str) -> bool {
    sign(text) == signature
}

fn parse_line(line: &str) -> Option<(u32, u32)> {
    let (product, quantity) = line.split_once('x')?;
    Some((product.parse().ok()?, quantity.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basket(lines: &[(u32, u32)]) -> Basket {
        Basket { lines: lines.to_vec() }
    }

    #[test]
    fn a_basket_survives_its_cookie() {
        for lines in [&[][..], &[(17, 1)], &[(17, 1), (2, 20)]] {
            assert_eq!(Basket::from_cookie(&basket(lines).to_cookie()), basket(lines));
        }
    }

    #[test]
    fn a_cookie_that_was_changed_is_an_empty_basket() {
        let cookie = basket(&[(17, 1)]).to_cookie();
        for changed in [
            cookie.replace("17x1", "17x9"),
            cookie.replace('-', ""),
            String::new(),
            "-".to_owned(),
        ] {
            assert!(Basket::from_cookie(&changed).is_empty(), "{changed}");
        }
    }

    #[test]
    fn quantities_add_up_to_a_limit() {
        let mut basket = Basket::default();
        basket.add(1, 15).unwrap();
        basket.add(1, 5).unwrap();
        basket.add(1, 1).unwrap_err();
        basket.add(2, 21).unwrap_err();
        assert_eq!(basket.lines(), [(1, 20)]);
    }
}
