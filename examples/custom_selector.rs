//! A complete gateway with a selector of its own: `cargo run --example custom_selector gateway.yaml`, where a pool of
//! `gateway.yaml` says `selector: blocks`. Reloading, health checks, metrics and retries come with it.
//!
//! Requests are dealt out in blocks of 100: short enough to spread load, long enough for a backend's caches to warm.

use std::error::Error;
use std::sync::Arc;

use sylvan::pool::PoolSnapshot;
use sylvan::selection::Choice;
use sylvan::selection::RequestFacts;
use sylvan::selection::Selector;
use sylvan::server::Gateway;

/// Sends a hundred requests in a row to the same backend.
#[derive(Debug)]
struct Blocks;

impl Selector for Blocks {
    fn select(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        // Backends that are down, ejected or already tried are never among the eligible ones.
        let eligible = pool.eligible(&request.tried).count().max(1);
        let turn = (request.sequence / 100) as usize % eligible;
        pool.eligible(&request.tried).nth(turn).map(Choice::by_policy)
    }
}

#[expect(clippy::print_stdout, reason = "where it listens is this program's output")]
fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "gateway.yaml".to_owned());
    let gateway = Gateway::builder(path)
        .selector("blocks", |_context| Arc::new(Blocks))
        .start()?;
    for (name, address) in gateway.addresses() {
        println!("listening on {name} http://{address}");
    }
    gateway.run();
    Ok(())
}
