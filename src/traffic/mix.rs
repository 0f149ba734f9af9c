//! What is asked for: routes in proportion, each request decided by one draw.

use bytes::Bytes;
use http::Uri;

use crate::units::Draws;

/// Products in the sample shop, numbered from 1.
const PRODUCTS: u64 = 2000;
/// Pages of the catalogue that visitors look at; the first ones of many.
const CATALOGUE_PAGES: u64 = 20;
/// People who order there.
const CUSTOMERS: u64 = 100_000;
/// Words that visitors of the sample shop search for.
const WORDS: [&str; 8] = ["lamp", "chair", "blue", "wood", "desk", "small", "green", "shelf"];

/// Visits of the sample shop in twentieths: catalogue 45 %, product 30 %, search 10 %, basket 10 %, checkout 5 %.
const SHOP: [(usize, Route); 5] = [
    (9, Route::Catalogue),
    (6, Route::Product),
    (2, Route::Search),
    (2, Route::Basket),
    (1, Route::Checkout),
];

/// Routes in proportion.
#[derive(Clone, Debug)]
pub struct Mix {
    /// Where the shop's routes begin: empty, or a path without the slash at its end.
    prefix: String,
    /// Never empty; a route that is asked for twice as often stands here twice.
    routes: Vec<Route>,
}

#[derive(Clone, Debug)]
enum Route {
    Page(Uri),
    Catalogue,
    Product,
    Search,
    Basket,
    Checkout,
}

/// One request without its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) uri: Uri,
    /// The form to post; a page is fetched by GET.
    pub(super) form: Option<Bytes>,
}

/// A path that no request can carry.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a path; write `/path` or `/path?query`, percent-encoded")]
pub struct InvalidPath(String);

impl Mix {
    /// Visits of the sample shop that `prefix` leads to; `/` is the root.
    ///
    /// # Errors
    /// When `prefix` is not a path.
    pub fn shop(prefix: &str) -> Result<Self, InvalidPath> {
        if page(prefix)?.query().is_some() {
            return Err(InvalidPath(prefix.to_owned()));
        }
        let routes = SHOP.into_iter().flat_map(|(times, route)| vec![route; times]).collect();
        Ok(Self {
            prefix: prefix.trim_end_matches('/').to_owned(),
            routes,
        })
    }

    /// Each of `paths` as often as the others, by GET; `/` when there are none.
    ///
    /// # Errors
    /// When one of them is not a path.
    pub fn paths<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidPath> {
        let pages = paths.into_iter().map(|path| Ok(Route::Page(page(path)?)));
        let mut routes = pages.collect::<Result<Vec<Route>, InvalidPath>>()?;
        if routes.is_empty() {
            routes.push(Route::Page(Uri::from_static("/")));
        }
        Ok(Self {
            prefix: String::new(),
            routes,
        })
    }

    /// The request that `draw` stands for.
    pub(super) fn call(&self, draw: u64) -> Call {
        let mut draws = Draws::new(draw);
        let (which, detail) = (draws.below(self.routes.len()), draws.next());
        let product = 1 + detail % PRODUCTS;
        match &self.routes[which] {
            Route::Page(uri) => Call {
                uri: uri.clone(),
                form: None,
            },
            Route::Catalogue => self.get(&format!("/catalogue?page={}", 1 + detail % CATALOGUE_PAGES)),
            Route::Product => self.get(&format!("/product/{product}")),
            Route::Search => self.get(&format!("/search?q={}", word(detail))),
            Route::Basket => self.post("/basket", format!("product={product}&quantity=1")),
            Route::Checkout => self.post("/checkout", order(product, draws.next() % CUSTOMERS)),
        }
    }

    fn get(&self, path: &str) -> Call {
        let uri = page(&format!("{}{path}", self.prefix)).expect("a checked prefix and a plain path are a path");
        Call { uri, form: None }
    }

    fn post(&self, path: &str, form: String) -> Call {
        Call {
            form: Some(form.into()),
            ..self.get(path)
        }
    }
}

fn page(path: &str) -> Result<Uri, InvalidPath> {
    let uri = path.parse::<Uri>().ok().filter(|_| path.starts_with('/'));
    uri.ok_or_else(|| InvalidPath(path.to_owned()))
}

fn word(draw: u64) -> &'static str {
    WORDS[draw as usize % WORDS.len()]
}

/// No cookies, so no basket: what is bought comes along.
fn order(product: u64, customer: u64) -> String {
    format!("product={product}&quantity=1&name=Customer+{customer}&email=customer{customer}%40example.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mix: Result<Mix, InvalidPath>, expected: &str) {
        let shown = match mix {
            Ok(mix) => (0..3)
                .map(|draw| mix.call(draw).uri.to_string())
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_shop_is_visited_in_its_proportions() {
        let mix = Mix::shop("/").unwrap();
        let calls: Vec<Call> = (0..10_000).map(|draw| mix.call(draw)).collect();
        let share =
            |path: &str| calls.iter().filter(|call| call.uri.path().starts_with(path)).count() as f64 / 10_000.0;
        let shares = ["/catalogue", "/product/", "/search", "/basket", "/checkout"].map(share);
        let errors = shares
            .iter()
            .zip([0.45, 0.3, 0.1, 0.1, 0.05])
            .map(|(share, expected)| (share - expected).abs());
        assert!(errors.fold(0.0, f64::max) < 0.02, "{shares:?}");
    }

    #[test]
    fn orders_are_posted_as_forms_and_pages_fetched() {
        let mix = Mix::shop("/").unwrap();
        let calls = (0..1000).map(|draw| mix.call(draw));
        let posted = |call: &Call| matches!(call.uri.path(), "/basket" | "/checkout");
        assert!(calls.into_iter().all(|call| call.form.is_some() == posted(&call)));
    }

    #[test]
    fn a_prefix_comes_before_every_route() {
        let mix = Mix::shop("/store/").unwrap();
        assert!((0..100).all(|draw| mix.call(draw).uri.path().starts_with("/store/")));
    }

    #[test]
    fn paths_are_asked_for_as_written() {
        check(Mix::paths(["/a?b=1"]), "/a?b=1 /a?b=1 /a?b=1");
        check(Mix::paths([]), "/ / /");
    }

    #[test]
    fn what_is_no_path_is_refused() {
        check(
            Mix::paths(["/a", "b"]),
            "`b` is not a path; write `/path` or `/path?query`, percent-encoded",
        );
        check(
            Mix::paths(["/ä b"]),
            "`/ä b` is not a path; write `/path` or `/path?query`, percent-encoded",
        );
        check(
            Mix::shop("/?q"),
            "`/?q` is not a path; write `/path` or `/path?query`, percent-encoded",
        );
    }
}
