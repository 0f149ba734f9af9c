//! The pages as HTML: plain, readable on a phone, nothing fetched but one stylesheet.

use maud::DOCTYPE;
use maud::Markup;
use maud::html;

use crate::demo::shop::basket::MOST_OF_ONE;
use crate::demo::shop::view::BasketView;
use crate::demo::shop::view::CatalogueView;
use crate::demo::shop::view::OrderView;
use crate::demo::shop::view::ProblemView;
use crate::demo::shop::view::ProductCard;
use crate::demo::shop::view::ProductView;
use crate::demo::shop::view::SearchView;
use crate::demo::shop::view::View;

/// The stylesheet, served at `/style.css`.
pub(super) const STYLE: &str = include_str!("style.css");

/// `view` as a whole document.
pub(super) fn document(view: &View) -> String {
    let (title, body) = match view {
        View::Catalogue(view) => ("Catalogue", catalogue(view)),
        View::Product(view) => (view.card.name.as_str(), product(view)),
        View::Search(view) => ("Search", search(view)),
        View::Basket(view) => ("Basket", basket(view)),
        View::Order(view) => ("Thank you", order(view)),
        View::Problem(view) => ("Not this way", problem(view)),
    };
    page(title, &body).into_string()
}

fn page(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Understorey" }
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="data:,";
            }
            body {
                header {
                    strong { a href="/" { "Understorey" } }
                    form action="/search" { input name="q" type="search" placeholder="lamp, desk, blue …" required; " " button { "Search" } }
                    a href="/basket" { "Basket" }
                }
                main { h1 { (title) } (body) }
            }
        }
    }
}

fn catalogue(view: &CatalogueView) -> Markup {
    html! {
        nav {
            ul {
                @for department in &view.departments {
                    li {
                        a href={ "/search?q=" (department.name) } { (department.name) }
                        " " (department.products) " from " (euros(department.from_cents.into()))
                    }
                }
            }
        }
        (grid(&view.products))
        p {
            @if view.page > 1 { a rel="prev" href={ "/catalogue?page=" (view.page - 1) } { "Back" } " · " }
            "Page " (view.page) " of " (view.pages)
            @if view.page < view.pages { " · " a rel="next" href={ "/catalogue?page=" (view.page + 1) } { "On" } }
        }
        h2 { "Best rated of the new" }
        (grid(&view.best_rated))
    }
}

fn product(view: &ProductView) -> Markup {
    html! {
        div.big style=(hue(view.card.id)) {}
        p { (view.description) }
        p { b { (euros(view.card.price_cents.into())) } " · " (stars(&view.card)) }
        form method="post" action="/basket" {
            input type="hidden" name="product" value=(view.card.id);
            label { "Quantity " input name="quantity" type="number" min="1" max=(MOST_OF_ONE) value="1"; }
            " " button { "Into the basket" }
        }
        h2 { "Reviews" }
        table {
            @for (given, count) in view.stars_given.iter().enumerate().rev() {
                tr { td.stars { (given + 1) " ★" } td { (count) } }
            }
        }
        @for review in &view.reviews {
            blockquote { span.stars { (review.stars) " ★" } " " (review.text) " — " (review.author) }
        }
        h2 { "Goes with it" }
        (grid(&view.related))
    }
}

fn search(view: &SearchView) -> Markup {
    html! {
        p { (view.products.len()) " products for “" (view.query) "”" }
        (grid(&view.products))
    }
}

fn basket(view: &BasketView) -> Markup {
    html! {
        @if view.lines.is_empty() {
            p { "Nothing in it yet. " a href="/" { "Look around" } "." }
        } @else {
            (lines(view))
            form method="post" action="/checkout" {
                p { label { "Name " input name="name" autocomplete="name" required; } }
                p { label { "E-mail " input name="email" type="email" autocomplete="email" required; } }
                button { "Order" }
            }
        }
    }
}

fn order(view: &OrderView) -> Markup {
    html! {
        p { "Your order number is " b { (view.order) } ", " (view.name) ". Receipt " code { (view.receipt) } "." }
        (lines(&view.basket))
        p { a href="/" { "Back to the catalogue" } }
    }
}

fn problem(view: &ProblemView) -> Markup {
    html! {
        p.problem { (view.error) }
        p { a href="/" { "Back to the catalogue" } }
    }
}

fn lines(view: &BasketView) -> Markup {
    html! {
        table {
            @for line in &view.lines {
                tr {
                    td { (line.quantity) " ×" }
                    td { a href={ "/product/" (line.product) } { (line.name) } }
                    td { (euros(u64::from(line.price_cents) * u64::from(line.quantity))) }
                }
            }
            tr { td {} th { "Total" } th { (euros(view.total_cents)) } }
        }
    }
}

fn grid(products: &[ProductCard]) -> Markup {
    html! {
        ul.grid {
            @for product in products {
                li {
                    i style=(hue(product.id)) {}
                    a href={ "/product/" (product.id) } { (product.name) }
                    br;
                    b { (euros(product.price_cents.into())) } " " (stars(product))
                }
            }
        }
    }
}

fn stars(product: &ProductCard) -> Markup {
    html! { span.stars { (product.stars) " ★ (" (product.reviews_count) ")" } }
}

/// A colour of its own for every product; 47 degrees apart, so that neighbours differ.
fn hue(id: u32) -> String {
    format!("--hue:{}", id.wrapping_mul(47) % 360)
}

fn euros(cents: u64) -> String {
    format!("€ {}.{:02}", cents / 100, cents % 100)
}
