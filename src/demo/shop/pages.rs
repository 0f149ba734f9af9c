//! What a visit is answered with: the shop's logic, between the database and the page.

use crate::demo::shop::basket::Basket;
use crate::demo::shop::basket::sign;
use crate::demo::shop::ranking;
use crate::demo::shop::seed::PRODUCTS;
use crate::demo::shop::store::NewOrder;
use crate::demo::shop::store::PAGE_SIZE;
use crate::demo::shop::store::Product;
use crate::demo::shop::store::Store;
use crate::demo::shop::view::BasketView;
use crate::demo::shop::view::CatalogueView;
use crate::demo::shop::view::LineView;
use crate::demo::shop::view::OrderView;
use crate::demo::shop::view::ProductCard;
use crate::demo::shop::view::ProductView;
use crate::demo::shop::view::ReviewView;
use crate::demo::shop::view::SearchView;
use crate::demo::shop::view::View;

/// Products of the same department that a product page compares its own with: the page's main work.
const RELATED_CANDIDATES: u32 = 120;
/// Related products shown.
const RELATED: usize = 6;
/// Products a search takes from the full-text index, and as many by likeness of their words.
const FOUND: u32 = 24;

/// What a visitor asks for; every number is checked for form, not for existence.
#[derive(Debug)]
pub(super) enum Visit {
    Catalogue { page: u32 },
    Product { id: u32 },
    Search { query: String },
    Basket(Visitor),
    AddToBasket(Visitor, Purchase),
    Checkout(Visitor, Customer),
}

/// Who asks: all that the shop knows of it is its cookie.
#[derive(Debug, Default)]
pub(super) struct Visitor {
    /// The value of the basket's cookie.
    pub(super) basket: Option<String>,
}

/// Some of one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Purchase {
    pub(super) product: u32,
    pub(super) quantity: u32,
}

/// Who orders.
#[derive(Debug)]
pub(super) struct Customer {
    pub(super) name: String,
    pub(super) email: String,
    /// A product bought at once, besides what the basket holds.
    pub(super) purchase: Option<Purchase>,
}

/// A page, and what becomes of the basket.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) view: View,
    /// The basket from now on, when the visit changed it.
    pub(super) basket: Option<Basket>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// There is no such page.
    #[error("{0}")]
    Missing(String),
    /// Too many requests wait already.
    #[error("the shop is full; try again in a moment")]
    Full,
    /// The shop is closing, or one of its workers died.
    #[error("the shop is closed")]
    Closed,
    /// The database failed.
    #[error("the shop's database failed: {0}")]
    Database(#[from] rusqlite::Error),
}

impl Visitor {
    fn basket(&self) -> Basket {
        self.basket.as_deref().map(Basket::from_cookie).unwrap_or_default()
    }
}

/// Answers one visit.
pub(super) fn answer(store: &mut Store, visit: Visit) -> Result<Answer, Problem> {
    match visit {
        Visit::Catalogue { page } => catalogue(store, page).map(page_only),
        Visit::Product { id } => product(store, id).map(page_only),
        Visit::Search { query } => search(store, query).map(page_only),
        Visit::Basket(visitor) => basket_view(store, &visitor.basket()).map(View::Basket).map(page_only),
        Visit::AddToBasket(visitor, purchase) => add_to_basket(store, &visitor, purchase),
        Visit::Checkout(visitor, customer) => check_out(store, &visitor, customer),
    }
}

const fn page_only(view: View) -> Answer {
    Answer { view, basket: None }
}

fn catalogue(store: &Store, page: u32) -> Result<View, Problem> {
    let pages = PRODUCTS.div_ceil(PAGE_SIZE);
    if page > pages {
        return Err(Problem::Missing(format!(
            "the catalogue has {pages} pages; there is no page {page}"
        )));
    }
    Ok(View::Catalogue(CatalogueView {
        page,
        pages,
        products: cards(store.page(page)?),
        departments: store.departments()?.into_iter().map(Into::into).collect(),
        best_rated: cards(store.best_rated()?),
    }))
}

fn product(store: &Store, id: u32) -> Result<View, Problem> {
    let product = existing(store, id)?;
    let candidates = store.neighbours(&product, RELATED_CANDIDATES)?;
    let related = cards(ranking::related(&product, candidates, RELATED));
    let reviews: Vec<ReviewView> = store.reviews(id)?.into_iter().map(Into::into).collect();
    Ok(View::Product(ProductView {
        description: product.description.clone(),
        card: product.into(),
        stars_given: histogram(&reviews),
        reviews,
        related,
    }))
}

fn search(store: &Store, query: String) -> Result<View, Problem> {
    let words = ranking::words(&query);
    let mut products = match words.is_empty() {
        true => Vec::new(),
        false => store.matching(&ranking::expression(&words), FOUND)?,
    };
    for id in ranking::closest(&words, &store.texts()?, FOUND as usize) {
        if products.iter().all(|product| product.id != id) {
            products.extend(store.product(id)?);
        }
    }
    Ok(View::Search(SearchView {
        query,
        products: cards(products),
    }))
}

fn add_to_basket(store: &Store, visitor: &Visitor, purchase: Purchase) -> Result<Answer, Problem> {
    existing(store, purchase.product)?;
    let mut basket = visitor.basket();
    basket
        .add(purchase.product, purchase.quantity)
        .map_err(Problem::Invalid)?;
    Ok(Answer {
        view: View::Basket(basket_view(store, &basket)?),
        basket: Some(basket),
    })
}

fn check_out(store: &mut Store, visitor: &Visitor, customer: Customer) -> Result<Answer, Problem> {
    let mut basket = visitor.basket();
    if let Some(purchase) = customer.purchase {
        existing(store, purchase.product)?;
        basket
            .add(purchase.product, purchase.quantity)
            .map_err(Problem::Invalid)?;
    }
    if basket.is_empty() {
        let text = "the basket is empty; POST /basket first, or send `product` and `quantity` along";
        return Err(Problem::Invalid(text.to_owned()));
    }
    let bought = basket_view(store, &basket)?;
    let order = place(store, &customer, &bought)?;
    Ok(Answer {
        view: View::Order(OrderView {
            order,
            receipt: sign(&format!("{order}:{}:{}", customer.email, bought.total_cents)),
            name: customer.name,
            basket: bought,
        }),
        basket: Some(Basket::default()),
    })
}

fn place(store: &mut Store, customer: &Customer, bought: &BasketView) -> Result<i64, Problem> {
    let lines: Vec<_> = bought
        .lines
        .iter()
        .map(|line| (line.product, line.quantity, line.price_cents))
        .collect();
    let order = NewOrder {
        name: &customer.name,
        email: &customer.email,
        lines: &lines,
        total_cents: bought.total_cents,
    };
    Ok(store.place(&order)?)
}

fn basket_view(store: &Store, basket: &Basket) -> Result<BasketView, Problem> {
    let mut view = BasketView::default();
    for (id, quantity) in basket.lines() {
        let product = existing(store, *id)?;
        view.total_cents += u64::from(product.price_cents) * u64::from(*quantity);
        view.lines.push(LineView {
            product: *id,
            name: product.name,
            quantity: *quantity,
            price_cents: product.price_cents,
        });
    }
    Ok(view)
}

fn existing(store: &Store, id: u32) -> Result<Product, Problem> {
    let missing = || {
        Problem::Missing(format!(
            "there is no product {id}; products are numbered 1 to {PRODUCTS}"
        ))
    };
    store.product(id)?.ok_or_else(missing)
}

fn cards(products: Vec<Product>) -> Vec<ProductCard> {
    products.into_iter().map(Into::into).collect()
}

fn histogram(reviews: &[ReviewView]) -> [u32; 5] {
    let mut given = [0; 5];
    for review in reviews {
        if let Some(count) = given.get_mut(review.stars.saturating_sub(1) as usize) {
            *count += 1;
        }
    }
    given
}
