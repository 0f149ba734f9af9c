//! A configuration as text: one listener, one pool called `main`, and what a test adds to them.

use std::fmt;
use std::net::SocketAddr;

use crate::harness::Origin;

/// A configuration file in the making.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    selector: String,
    backends: Vec<SocketAddr>,
    weights: Vec<u16>,
    pool: Vec<String>,
    defaults: Vec<String>,
    routes: Vec<String>,
    pools: Vec<String>,
    top: Vec<String>,
}

impl Written {
    /// Everything goes to `origins`.
    pub(crate) fn to(origins: &[&Origin]) -> Self {
        Self::to_addresses(origins.iter().map(|origin| origin.address()))
    }

    /// Everything goes to `backends`.
    pub(crate) fn to_addresses(backends: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self {
            selector: "round_robin".to_owned(),
            backends: backends.into_iter().collect(),
            weights: Vec::new(),
            pool: Vec::new(),
            defaults: Vec::new(),
            routes: Vec::new(),
            pools: Vec::new(),
            top: Vec::new(),
        }
    }

    /// With another selector than `round_robin`.
    pub(crate) fn selector(mut self, selector: &str) -> Self {
        selector.clone_into(&mut self.selector);
        self
    }

    /// With these weights for the backends, in their order; 1 for those that are left out.
    pub(crate) fn weights(mut self, weights: &[u16]) -> Self {
        weights.clone_into(&mut self.weights);
        self
    }

    /// With one more key in the pool, as in `slow_start: 0s`.
    pub(crate) fn pool(mut self, key: &str) -> Self {
        self.pool.push(key.to_owned());
        self
    }

    /// With one more key under `defaults`, as in `timeouts: { idle: 1s }`.
    pub(crate) fn defaults(mut self, key: &str) -> Self {
        self.defaults.push(key.to_owned());
        self
    }

    /// With a route of this name and these conditions before the one for everything, to a pool of the same name with
    /// `origin` alone. The first call also drops the one for everything, unless `everything` is routed again.
    pub(crate) fn route(mut self, name: &str, conditions: &str, origin: &Origin) -> Self {
        self.routes
            .push(format!("{{ name: {name}, match: {conditions}, pool: {name} }}"));
        self.pools.push(format!(
            "{name}: {{ backends: [{{ address: \"{}\" }}] }}",
            origin.address()
        ));
        self
    }

    /// With one more key at the top, as in `log: { level: debug }`.
    pub(crate) fn top(mut self, key: &str) -> Self {
        self.top.push(key.to_owned());
        self
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "version: 1")?;
        if !self.top.iter().any(|key| key.starts_with("admin:")) {
            writeln!(f, "admin: {{ bind: 127.0.0.1:0 }}")?;
        }
        self.top.iter().try_for_each(|key| writeln!(f, "{key}"))?;
        if !self.defaults.is_empty() {
            writeln!(f, "defaults: {{ {} }}", self.defaults.join(", "))?;
        }
        if !self.top.iter().any(|key| key.starts_with("listeners:")) {
            writeln!(f, "listeners: [{{ name: web, bind: 127.0.0.1:0 }}]")?;
        }
        writeln!(f, "routes:")?;
        self.routes.iter().try_for_each(|route| writeln!(f, "  - {route}"))?;
        if self.routes.is_empty() {
            writeln!(f, "  - {{ name: everything, pool: main }}")?;
        }
        writeln!(f, "pools:")?;
        self.pools.iter().try_for_each(|pool| writeln!(f, "  {pool}"))?;
        if self.backends.is_empty() {
            return Ok(());
        }
        writeln!(f, "  main:\n    selector: {}\n    backends:", self.selector)?;
        let weights = self.weights.iter().chain(std::iter::repeat(&1));
        for (address, weight) in self.backends.iter().zip(weights) {
            writeln!(f, "      - {{ address: \"{address}\", weight: {weight} }}")?;
        }
        self.pool.iter().try_for_each(|key| writeln!(f, "    {key}"))
    }
}
