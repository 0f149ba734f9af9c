//! What each page shows: the JSON of the shop, and what `html` draws from.

use serde::Serialize;

use crate::demo::shop::store::Department;
use crate::demo::shop::store::Product;
use crate::demo::shop::store::Review;

/// One page.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum View {
    Catalogue(CatalogueView),
    Product(ProductView),
    Search(SearchView),
    Basket(BasketView),
    Order(OrderView),
    Problem(ProblemView),
}

#[derive(Debug, Serialize)]
pub(super) struct CatalogueView {
    pub(super) page: u32,
    pub(super) pages: u32,
    pub(super) products: Vec<ProductCard>,
    pub(super) departments: Vec<DepartmentView>,
    pub(super) best_rated: Vec<ProductCard>,
}

#[derive(Debug, Serialize)]
pub(super) struct ProductView {
    #[serde(flatten)]
    pub(super) card: ProductCard,
    pub(super) description: String,
    /// How many reviewers gave one star, two stars, ... five stars.
    pub(super) stars_given: [u32; 5],
    pub(super) reviews: Vec<ReviewView>,
    pub(super) related: Vec<ProductCard>,
}

#[derive(Debug, Serialize)]
pub(super) struct SearchView {
    pub(super) query: String,
    pub(super) products: Vec<ProductCard>,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct BasketView {
    pub(super) lines: Vec<LineView>,
    pub(super) total_cents: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct OrderView {
    pub(super) order: i64,
    pub(super) name: String,
    pub(super) receipt: String,
    #[serde(flatten)]
    pub(super) basket: BasketView,
}

#[derive(Debug, Serialize)]
pub(super) struct ProblemView {
    pub(super) error: String,
}

#[derive(Debug, Serialize)]
pub(super) struct ProductCard {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) department: String,
    pub(super) price_cents: u32,
    /// The reviewers' average, in tenths of a star.
    pub(super) stars: f64,
    pub(super) reviews_count: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct DepartmentView {
    pub(super) name: String,
    pub(super) products: u32,
    pub(super) from_cents: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct ReviewView {
    pub(super) stars: u32,
    pub(super) author: String,
    pub(super) text: String,
}

#[derive(Debug, Serialize)]
pub(super) struct LineView {
    pub(super) product: u32,
    pub(super) name: String,
    pub(super) quantity: u32,
    pub(super) price_cents: u32,
}

impl From<Product> for ProductCard {
    fn from(product: Product) -> Self {
        Self {
            id: product.id,
            name: product.name,
            department: product.department,
            price_cents: product.price_cents,
            stars: (product.stars * 10.0).round() / 10.0,
            reviews_count: product.reviews,
        }
    }
}

impl From<Department> for DepartmentView {
    fn from(department: Department) -> Self {
        Self {
            name: department.name,
            products: department.products,
            from_cents: department.from_cents,
        }
    }
}

impl From<Review> for ReviewView {
    fn from(review: Review) -> Self {
        Self {
            stars: review.stars,
            author: review.author,
            text: review.text,
        }
    }
}
