//! What is like what: related products and search results, ranked in memory. Pure functions over rows.

use std::cmp::Reverse;

use crate::demo::shop::store::Product;

/// Words of a search that count; the rest is dropped.
const WORDS: usize = 6;
/// How alike two words must be, 0 to 1, for one to be a misspelling of the other.
const ALIKE: f64 = 0.86;

/// The `count` of `candidates` whose names are most like `product`'s.
pub(super) fn related(product: &Product, candidates: Vec<Product>, count: usize) -> Vec<Product> {
    let likeness = |candidate: &Product| strsim::sorensen_dice(&product.name, &candidate.name) + candidate.stars / 50.0;
    let mut scored: Vec<(f64, Product)> = candidates
        .into_iter()
        .map(|candidate| (likeness(&candidate), candidate))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.id.cmp(&b.1.id)));
    scored.into_iter().take(count).map(|(_, candidate)| candidate).collect()
}

/// The words that `text` asks for, in lower case.
pub(super) fn words(text: &str) -> Vec<String> {
    let parts = text.split(|letter: char| !letter.is_alphanumeric());
    let words = parts.filter(|word| !word.is_empty()).map(str::to_lowercase);
    words.take(WORDS).collect()
}

/// The full-text expression for `words`: any of them, or what begins with one. Quoted, so that no word is an operator.
pub(super) fn expression(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"*")).collect();
    quoted.join(" OR ")
}

/// The numbers of the `count` products whose texts come closest to `words`, misspellings allowed. Every word of every
/// text is compared: a search's main work, a few milliseconds per word asked for.
pub(super) fn closest(words: &[String], texts: &[(u32, String)], count: usize) -> Vec<u32> {
    let mut scored: Vec<(Reverse<u64>, u32)> = texts
        .iter()
        .map(|(id, text)| (Reverse(closeness(words, text)), *id))
        .filter(|(Reverse(score), _)| *score > 0)
        .collect();
    scored.sort_unstable();
    scored.into_iter().take(count).map(|(_, id)| id).collect()
}

/// How well `text` answers `words`, in thousandths per word.
fn closeness(words: &[String], text: &str) -> u64 {
    let text = text.to_lowercase();
    let best = |word: &String| {
        let parts = text.split(' ').map(|part| strsim::jaro_winkler(word, part));
        parts.fold(0.0, f64::max)
    };
    let alike = words.iter().map(best).filter(|likeness| *likeness >= ALIKE);
    // Whole numbers sort the same way everywhere.
    alike.map(|likeness| (likeness * 1e3) as u64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_search_cannot_be_operators() {
        let asked = words("blue  OR \"lamp\" NEAR(x) -desk*");
        assert_eq!(asked, ["blue", "or", "lamp", "near", "x", "desk"]);
        assert_eq!(expression(&asked[..2]), "\"blue\"* OR \"or\"*");
        assert_eq!(words("?! "), Vec::<String>::new());
    }

    #[test]
    fn a_misspelt_word_still_finds_its_product() {
        let texts = [
            (1, "Small blue steel lantern".to_owned()),
            (2, "Low red oak bench".to_owned()),
        ];
        assert_eq!(closest(&words("lantren"), &texts, 5), [1]);
        assert_eq!(closest(&words("xylophone"), &texts, 5), Vec::<u32>::new());
    }
}
