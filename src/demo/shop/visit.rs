//! From the parts of a URL or a form to a [`Visit`]: every bad value is refused with what would be right.

use std::collections::BTreeMap;

use crate::demo::shop::basket::MOST_OF_ONE;
use crate::demo::shop::pages::Customer;
use crate::demo::shop::pages::Problem;
use crate::demo::shop::pages::Purchase;
use crate::demo::shop::pages::Visit;
use crate::demo::shop::pages::Visitor;

/// The longest text a visitor may send in one field, in bytes.
const LONGEST_TEXT: usize = 200;

/// A query or a form.
pub(super) type Arguments = BTreeMap<String, String>;

/// `/catalogue?page=`, the first page when not given.
pub(super) fn catalogue(arguments: &Arguments) -> Result<Visit, Problem> {
    let page = arguments.get("page").map_or(Ok(1), |text| number("page", text))?;
    Ok(Visit::Catalogue { page })
}

/// `/product/{id}`.
pub(super) fn product(id: &str) -> Result<Visit, Problem> {
    Ok(Visit::Product {
        id: number("the product", id)?,
    })
}

/// `/search?q=`.
pub(super) fn search(arguments: &Arguments) -> Result<Visit, Problem> {
    let query = text(arguments, "q")?;
    Ok(Visit::Search { query })
}

/// `POST /basket` with `product` and `quantity`, one when not given.
pub(super) fn add_to_basket(visitor: Visitor, form: &Arguments) -> Result<Visit, Problem> {
    let product = number("product", &text(form, "product")?)?;
    Ok(Visit::AddToBasket(visitor, purchase(product, form)?))
}

/// `POST /checkout` with `name` and `email`, and `product` and `quantity` to buy without a basket.
pub(super) fn check_out(visitor: Visitor, form: &Arguments) -> Result<Visit, Problem> {
    let bought = match form.get("product") {
        Some(text) => Some(purchase(number("product", text)?, form)?),
        None => None,
    };
    let customer = Customer {
        name: text(form, "name")?,
        email: email(text(form, "email")?)?,
        purchase: bought,
    };
    Ok(Visit::Checkout(visitor, customer))
}

fn purchase(product: u32, form: &Arguments) -> Result<Purchase, Problem> {
    let quantity = form.get("quantity").map_or(Ok(1), |text| number("quantity", text))?;
    if quantity > MOST_OF_ONE {
        return invalid(format!("quantity: {quantity} is too many; write 1 to {MOST_OF_ONE}"));
    }
    Ok(Purchase { product, quantity })
}

fn number(field: &str, text: &str) -> Result<u32, Problem> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => invalid(format!("{field}: `{text}` is no number; write 1 or more")),
    }
}

fn text(arguments: &Arguments, field: &str) -> Result<String, Problem> {
    let text = arguments.get(field).map_or("", |text| text.trim());
    match text.len() {
        0 => invalid(format!("{field}: missing")),
        1..=LONGEST_TEXT => Ok(text.to_owned()),
        longer => invalid(format!(
            "{field}: {longer} bytes are too many; write at most {LONGEST_TEXT}"
        )),
    }
}

fn email(text: String) -> Result<String, Problem> {
    match text.split_once('@') {
        Some((name, domain)) if !name.is_empty() && domain.contains('.') => Ok(text),
        _ => invalid(format!("email: `{text}` is no address; write name@domain.example")),
    }
}

fn invalid<T>(text: String) -> Result<T, Problem> {
    Err(Problem::Invalid(text))
}
