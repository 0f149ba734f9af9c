//! The shop's database: an SQLite in memory, one per instance, one connection per worker.

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Result;
use rusqlite::Row;
use rusqlite::ToSql;
use rusqlite::TransactionBehavior;

use crate::demo::shop::seed;

/// Products on one page of the catalogue.
pub(super) const PAGE_SIZE: u32 = 24;
/// The newest products, from which the best rated are found anew on every catalogue page: the page's main work.
const NEW_ARRIVALS: u32 = 400;
/// Best rated products shown.
const BEST_RATED: u32 = 6;
/// Opinions that a product is given before its first: without them one review of five stars would win.
const PRIOR_REVIEWS: u32 = 8;
/// What those opinions say.
const PRIOR_STARS: f64 = 3.4;
/// Orders kept: an instance that serves for days must not grow.
const ORDERS_KEPT: i64 = 10_000;

/// A product with what its reviewers say of it.
const PRODUCT: &str = "SELECT p.id, p.name, p.department, p.price_cents, p.description, avg(r.stars), count(*)
    FROM product p JOIN review r ON r.product_id = p.id";

/// A product of the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Product {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) department: String,
    pub(super) price_cents: u32,
    pub(super) description: String,
    pub(super) stars: f64,
    pub(super) reviews: u32,
}

/// What one customer thinks of a product.
#[derive(Clone, Debug)]
pub(super) struct Review {
    pub(super) stars: u32,
    pub(super) author: String,
    pub(super) text: String,
}

/// A department and its range.
#[derive(Clone, Debug)]
pub(super) struct Department {
    pub(super) name: String,
    pub(super) products: u32,
    pub(super) from_cents: u32,
}

/// An order to be placed.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewOrder<'order> {
    pub(super) name: &'order str,
    pub(super) email: &'order str,
    /// Product, quantity, price of one.
    pub(super) lines: &'order [(u32, u32, u32)],
    pub(super) total_cents: u64,
}

/// One connection to the shop's database.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
}

impl Store {
    /// A new shop called `name` with a full catalogue. It lives as long as one store of that name does.
    pub(super) fn create(name: &str) -> Result<Self> {
        let mut store = Self::join(name)?;
        store.connection.execute_batch(include_str!("schema.sql"))?;
        seed::fill(&mut store.connection)?;
        Ok(store)
    }

    /// Another connection to the shop called `name`.
    pub(super) fn join(name: &str) -> Result<Self> {
        // The `memdb` file system shares a database in memory between the connections of a process, with a file's locks.
        let connection = Connection::open(format!("file:/{name}?vfs=memdb"))?;
        connection.busy_timeout(std::time::Duration::from_secs(1))?;
        Ok(Self { connection })
    }

    /// The products of one page of the catalogue, from 1.
    pub(super) fn page(&self, page: u32) -> Result<Vec<Product>> {
        let first = page.saturating_sub(1) * PAGE_SIZE + 1;
        self.products(
            "WHERE p.id BETWEEN ?1 AND ?2 GROUP BY p.id",
            &[&first, &(first + PAGE_SIZE - 1)],
        )
    }

    /// The product with this id.
    pub(super) fn product(&self, id: u32) -> Result<Option<Product>> {
        let sql = format!("{PRODUCT} WHERE p.id = ?1 GROUP BY p.id");
        self.connection
            .prepare_cached(&sql)?
            .query_row([id], product_from)
            .optional()
    }

    /// Up to `limit` other products of the same department, the nearest numbers first.
    pub(super) fn neighbours(&self, product: &Product, limit: u32) -> Result<Vec<Product>> {
        let sql = "WHERE p.id IN (SELECT id FROM product WHERE department = ?1 AND id <> ?2
                ORDER BY abs(id - ?2), id LIMIT ?3) GROUP BY p.id";
        self.products(sql, &[&product.department, &product.id, &limit])
    }

    /// The best rated of the newest products.
    pub(super) fn best_rated(&self) -> Result<Vec<Product>> {
        let oldest = seed::PRODUCTS.saturating_sub(NEW_ARRIVALS);
        let sql = "WHERE p.id > ?1 GROUP BY p.id
            ORDER BY (sum(r.stars) + ?2 * ?3) / (count(*) + ?2) DESC, p.id LIMIT ?4";
        self.products(sql, &[&oldest, &PRIOR_REVIEWS, &PRIOR_STARS, &BEST_RATED])
    }

    /// Up to `limit` products whose text matches the FTS5 `expression`, the best match first.
    pub(super) fn matching(&self, expression: &str, limit: u32) -> Result<Vec<Product>> {
        let sql =
            "JOIN (SELECT rowid, rank FROM product_text WHERE product_text MATCH ?1 ORDER BY rank, rowid LIMIT ?2) t
            ON t.rowid = p.id GROUP BY p.id ORDER BY t.rank, p.id";
        self.products(sql, &[&expression, &limit])
    }

    /// The number of every product, and all that is said of it.
    pub(super) fn texts(&self) -> Result<Vec<(u32, String)>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, name || ' ' || description FROM product ORDER BY id")?;
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }

    /// Every department, by name.
    pub(super) fn departments(&self) -> Result<Vec<Department>> {
        let sql = "SELECT department, count(*), min(price_cents) FROM product GROUP BY department ORDER BY department";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Department {
                name: row.get(0)?,
                products: row.get(1)?,
                from_cents: row.get(2)?,
            })
        })?;
        rows.collect()
    }

    /// What customers say of a product, in the order they wrote it.
    pub(super) fn reviews(&self, product: u32) -> Result<Vec<Review>> {
        let sql = "SELECT stars, author, text FROM review WHERE product_id = ?1 ORDER BY rowid";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([product], |row| {
            Ok(Review {
                stars: row.get(0)?,
                author: row.get(1)?,
                text: row.get(2)?,
            })
        })?;
        rows.collect()
    }

    /// Places an order, whole or not at all, and returns its number.
    pub(super) fn place(&mut self, order: &NewOrder<'_>) -> Result<i64> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "INSERT INTO customer_order (name, email, total_cents) VALUES (?1, ?2, ?3)",
            (order.name, order.email, order.total_cents),
        )?;
        let number = transaction.last_insert_rowid();
        for (product, quantity, price_cents) in order.lines {
            transaction
                .prepare_cached("INSERT INTO order_line VALUES (?1, ?2, ?3, ?4)")?
                .execute((number, product, quantity, price_cents))?;
        }
        let oldest = number - ORDERS_KEPT;
        transaction.execute("DELETE FROM order_line WHERE order_id <= ?1", [oldest])?;
        transaction.execute("DELETE FROM customer_order WHERE id <= ?1", [oldest])?;
        transaction.commit()?;
        Ok(number)
    }

    fn products(&self, condition: &str, parameters: &[&dyn ToSql]) -> Result<Vec<Product>> {
        let mut statement = self.connection.prepare_cached(&format!("{PRODUCT} {condition}"))?;
        statement.query_map(parameters, product_from)?.collect()
    }
}

fn product_from(row: &Row<'_>) -> Result<Product> {
    Ok(Product {
        id: row.get(0)?,
        name: row.get(1)?,
        department: row.get(2)?,
        price_cents: row.get(3)?,
        description: row.get(4)?,
        stars: row.get(5)?,
        reviews: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_placed_whole_or_not_at_all() {
        let mut store = Store::create("order-is-whole").unwrap();
        let order = |lines| NewOrder {
            name: "Ines",
            email: "ines@shop.example",
            lines,
            total_cents: 100,
        };
        assert_eq!(store.place(&order(&[(1, 1, 50), (2, 1, 50)])).unwrap(), 1);
        store.place(&order(&[(1, 1, 50), (1, 1, 50)])).unwrap_err();
        let count = |sql| store.connection.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM customer_order"), 1);
        assert_eq!(count("SELECT count(*) FROM order_line"), 2);
    }

    #[test]
    fn two_connections_see_one_shop() {
        let mut first = Store::create("one-shop").unwrap();
        let second = Store::join("one-shop").unwrap();
        let lines = [(7, 1, 100)];
        let order = NewOrder {
            name: "Kim",
            email: "kim@shop.example",
            lines: &lines,
            total_cents: 100,
        };
        first.place(&order).unwrap();
        let sql = "SELECT name FROM customer_order";
        let name: String = second.connection.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(name, "Kim");
    }

    #[test]
    fn the_best_rated_have_many_stars_and_many_reviews() {
        let store = Store::create("best-rated").unwrap();
        let best = store.best_rated().unwrap();
        assert_eq!(best.len(), 6);
        assert!(
            best.iter().all(|product| product.stars > 4.0 && product.reviews > 8),
            "{best:?}"
        );
    }
}
