//! The sample shop: a small e-commerce site with a real database, to put behind the gateway.
//!
//! Every instance has the same catalogue, so any of them can answer any request; the basket travels in the visitor's
//! cookie. An instance can be given fewer cores than the machine has ([`crate::demo::cores`]), and an agent of its own
//! that reports against them. What it is not: a shop, or a benchmark of web frameworks; its work per page is chosen
//! (`NEW_ARRIVALS`, `RELATED_CANDIDATES`, `SIGNING_ROUNDS`) so that a fraction of a core is full at a few hundred
//! requests per second.

mod basket;
mod html;
mod metering;
mod pages;
mod ranking;
mod reply;
mod router;
mod seed;
mod store;
mod view;
mod visit;
mod workers;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

use crate::agent;
use crate::agent::Sampler;
use crate::clock;
use crate::demo::cores::Account;
use crate::demo::cores::Cores;
use crate::demo::shop::metering::MeteredListener;
use crate::demo::shop::metering::ShopSource;
use crate::demo::shop::metering::Traffic;
use crate::demo::shop::store::Store;
use crate::demo::shop::workers::Workers;

/// The window of the shop's own agent: short, so that a gateway that polls every second sees the last half of it.
const AGENT_INTERVAL: Duration = Duration::from_millis(500);

/// What an instance of the shop is.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Where it serves; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where its agent answers, if it has one; port 0 takes a free one.
    pub agent: Option<SocketAddr>,
    /// The cores of the machine that it behaves like.
    pub cores: Cores,
}

/// An instance that is bound and filled, not yet serving.
#[derive(Debug)]
pub struct Shop {
    listener: TcpListener,
    agent: Option<TcpListener>,
    workers: Workers,
    account: Arc<Account>,
}

impl Shop {
    /// Binds the sockets, makes the catalogue and starts the workers.
    ///
    /// # Errors
    /// Of the system's kind when an address cannot be bound (`AddrInUse`, ...), no thread is to be had, or the
    /// database cannot be made.
    pub async fn open(options: Options) -> io::Result<Self> {
        let listener = agent::bind(options.listen)?;
        let agent = options.agent.map(agent::bind).transpose()?;
        let account = Arc::new(Account::new(options.cores));
        let slots = options.cores.slots();
        let stores = spawn_blocking(move || stock(slots)).await?.map_err(io::Error::other)?;
        Ok(Self {
            listener,
            agent,
            workers: Workers::start(&account, stores)?,
            account,
        })
    }

    /// Where the shop serves.
    ///
    /// # Errors
    /// When the system does not know.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Where its agent answers.
    ///
    /// # Errors
    /// When the system does not know.
    pub fn agent_address(&self) -> io::Result<Option<SocketAddr>> {
        self.agent.as_ref().map(TcpListener::local_addr).transpose()
    }

    /// Serves until `stop`, then ends the requests under way.
    ///
    /// # Errors
    /// When a listener fails for good.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let traffic = Arc::new(Traffic::default());
        let source = ShopSource::new(self.account, Arc::clone(&traffic));
        let listener = MeteredListener::new(self.listener, traffic);
        tokio::select! {
            served = agent::serve(listener, router::router(self.workers), stop) => served,
            observed = observe(self.agent, source) => observed,
        }
    }
}

/// The stores of an instance's workers: one database with a connection each.
fn stock(slots: usize) -> rusqlite::Result<Vec<Store>> {
    // Several instances may live in one process, in tests.
    let name = format!("shop-{:016x}", clock::entropy());
    let first = Store::create(&name)?;
    let others = (1..slots).map(|_| Store::join(&name));
    std::iter::once(Ok(first)).chain(others).collect()
}

/// Runs the shop's agent for as long as the shop lives.
async fn observe(listener: Option<TcpListener>, source: ShopSource) -> io::Result<()> {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    let sampler = Arc::new(Sampler::default());
    let routes = agent::router(Arc::clone(&sampler));
    tokio::select! {
        served = agent::serve(listener, routes, std::future::pending()) => served,
        () = sampler.keep_sampling(Box::new(source), AGENT_INTERVAL) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
