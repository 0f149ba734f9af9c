//! The catalogue: made up from one seed, so that every instance of the shop has the same one.

use rusqlite::Connection;
use rusqlite::Statement;

use crate::units::Draws;

/// Products in the catalogue, numbered from 1.
pub(super) const PRODUCTS: u32 = 2_000;

/// Another seed is another shop.
const SEED: u64 = 2_024;
/// The fewest reviews of a product.
const FEWEST_REVIEWS: usize = 6;
/// How many more the most reviewed ones have.
const REVIEW_SPREAD: usize = 13;

const SIZES: [&str; 8] = ["Small", "Large", "Tall", "Low", "Round", "Narrow", "Wide", "Folding"];
const COLOURS: [&str; 10] = [
    "blue", "green", "red", "white", "black", "grey", "yellow", "sand", "rust", "natural",
];
const MATERIALS: [&str; 8] = ["wood", "oak", "steel", "glass", "linen", "bamboo", "cork", "ceramic"];
const THINGS: [(&str, &str); 16] = [
    ("lamp", "Lighting"),
    ("lantern", "Lighting"),
    ("chair", "Seating"),
    ("stool", "Seating"),
    ("bench", "Seating"),
    ("desk", "Tables"),
    ("table", "Tables"),
    ("shelf", "Storage"),
    ("box", "Storage"),
    ("basket", "Storage"),
    ("cushion", "Textiles"),
    ("rug", "Textiles"),
    ("mirror", "Decoration"),
    ("vase", "Decoration"),
    ("bowl", "Kitchen"),
    ("jug", "Kitchen"),
];
const LINES: [&str; 12] = [
    "Alva", "Birk", "Dala", "Ester", "Fjord", "Hedda", "Iris", "Juno", "Kaj", "Lund", "Nora", "Tove",
];
const QUALITIES: [&str; 8] = [
    "Made to be repaired rather than replaced.",
    "Finished by hand, so that no two are quite alike.",
    "Arrives in one piece and needs no tools.",
    "The surface takes scratches well and oil even better.",
    "Light enough to move around on a whim.",
    "Stacks with its siblings when guests have left.",
    "Ships flat and stands up in ten minutes.",
    "Wipes clean with a damp cloth.",
];
const PLACES: [&str; 6] = [
    "a hallway that collects everything",
    "a kitchen with morning light",
    "a desk by the window",
    "a small flat with large plans",
    "a garden under a roof",
    "a room that children use too",
];
const AUTHORS: [&str; 16] = [
    "Amir", "Bea", "Carlos", "Dilara", "Emil", "Fatou", "Greta", "Hugo", "Ines", "Jonas", "Kim", "Lena", "Mei", "Noor",
    "Otto", "Pia",
];
const OPINIONS: [[&str; 3]; 5] = [
    [
        "Came broken and stayed broken.",
        "Not what the picture promised.",
        "I sent it back within the week.",
    ],
    [
        "It wobbles, and so did my patience.",
        "The colour is another one in daylight.",
        "Fine from afar.",
    ],
    [
        "Does what it should, no more.",
        "Good, once the smell had gone.",
        "Solid, though the screws are not.",
    ],
    [
        "Better than the one it replaced.",
        "Well made, and easy to put up.",
        "Would buy it again for the price.",
    ],
    [
        "We ordered a second one the same evening.",
        "The best thing in the room.",
        "Simple, sturdy, and a joy to use.",
    ],
];

/// Fills an empty database.
pub(super) fn fill(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut product = transaction.prepare("INSERT INTO product VALUES (?, ?, ?, ?, ?)")?;
        let mut review = transaction.prepare("INSERT INTO review VALUES (?, ?, ?, ?)")?;
        let mut draws = Draws::new(SEED);
        for id in 1..=PRODUCTS {
            insert_product(&mut product, id, &mut draws)?;
            insert_reviews(&mut review, id, &mut draws)?;
        }
    }
    transaction.execute("INSERT INTO product_text (product_text) VALUES ('rebuild')", [])?;
    transaction.commit()
}

fn insert_product(statement: &mut Statement<'_>, id: u32, draws: &mut Draws) -> rusqlite::Result<()> {
    let (size, colour, material) = (pick(&SIZES, draws), pick(&COLOURS, draws), pick(&MATERIALS, draws));
    let ((thing, department), line) = (pick(&THINGS, draws), pick(&LINES, draws));
    let name = format!("{size} {colour} {material} {thing} {line} {id}");
    let description = format!(
        "A {} {thing} in {colour} {material} for {}. {} {}",
        size.to_lowercase(),
        pick(&PLACES, draws),
        pick(&QUALITIES, draws),
        pick(&QUALITIES, draws),
    );
    let price_cents = 490 + 50 * draws.below(600);
    statement.execute((id, name, department, price_cents, description))?;
    Ok(())
}

fn insert_reviews(statement: &mut Statement<'_>, product: u32, draws: &mut Draws) -> rusqlite::Result<()> {
    // A product has its own level, and its reviewers' opinions lie around it: 0 is one star.
    let level = 1 + draws.below(3);
    for _ in 0..FEWEST_REVIEWS + draws.below(REVIEW_SPREAD) {
        let opinion = (level + draws.below(3)).min(OPINIONS.len() - 1);
        let fitting = OPINIONS[opinion];
        let text = format!("{} {}", pick(&fitting, draws), pick(&fitting, draws));
        statement.execute((product, opinion + 1, pick(&AUTHORS, draws), text))?;
    }
    Ok(())
}

fn pick<T: Copy, const COUNT: usize>(choices: &[T; COUNT], draws: &mut Draws) -> T {
    // `below` stays below its bound.
    choices[draws.below(COUNT)]
}
