//! Which route a request takes: by host, path, method and header, the first rule that matches.

mod class;
mod path;
mod stats;

use std::sync::Arc;

use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::Method;

use crate::config::Config;
use crate::pool::RouteClass;

pub use class::MethodClasses;
pub use class::RouteClasses;
pub use path::is_safe_path;
pub use stats::RouteStats;
pub use stats::StatusClass;

/// What routing looks at in a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    /// The Host header's or the authority's value, with its port if it has one.
    pub host: &'a str,
    /// The path, without the query.
    pub path: &'a str,
    /// The method.
    pub method: &'a Method,
    /// All headers.
    pub headers: &'a HeaderMap,
}

/// A rule of the configuration, ready to be asked.
#[derive(Debug)]
pub struct Route {
    /// Its name.
    pub name: String,
    /// The position of its pool.
    pub pool: usize,
    /// Its counts, one for each listener in the configuration's order.
    pub stats: Vec<Arc<RouteStats>>,
    classes: MethodClasses,
    hosts: Vec<HostPattern>,
    path_prefix: Option<String>,
    methods: Vec<Method>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The rules of a configuration, in its order.
#[derive(Debug, Default)]
pub struct RouteTable {
    routes: Vec<Route>,
}

#[derive(Debug)]
enum HostPattern {
    Exact(String),
    /// `.shop.example`, from `*.shop.example`.
    Suffix(String),
}

impl RouteTable {
    /// The routes of `config`; `stats` says where (listener, route, pool) is counted, `classes` are each pool's.
    pub fn new(
        config: &Config,
        mut stats: impl FnMut(&str, &str, &str) -> Arc<RouteStats>,
        classes: &[&RouteClasses],
    ) -> Self {
        let route = |route: &crate::config::Route| {
            let pool = config.pools.get(route.pool).map_or("", |pool| pool.name.as_str());
            let stats = config
                .listeners
                .iter()
                .map(|listener| stats(&listener.name, &route.name, pool))
                .collect();
            let classes = classes.get(route.pool).map(|classes| classes.of(route));
            Route::new(route, stats, classes.unwrap_or_default())
        };
        Self {
            routes: config.routes.iter().map(route).collect(),
        }
    }

    /// The first route that `request` matches.
    #[must_use]
    pub fn find(&self, request: &RequestView<'_>) -> Option<&Route> {
        self.routes.iter().find(|route| route.matches(request))
    }

    /// All routes, in order.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }
}

impl Route {
    fn new(route: &crate::config::Route, stats: Vec<Arc<RouteStats>>, classes: MethodClasses) -> Self {
        let matches = &route.matches;
        Self {
            name: route.name.clone(),
            pool: route.pool,
            stats,
            classes,
            hosts: matches.hosts.iter().map(|host| HostPattern::new(host)).collect(),
            path_prefix: matches.path_prefix.clone(),
            methods: matches.methods.clone(),
            headers: matches.headers.clone(),
        }
    }

    /// What kind of request one with `method` is to its pool.
    #[must_use]
    pub fn class(&self, method: &Method) -> RouteClass {
        self.classes.of(method)
    }

    fn matches(&self, request: &RequestView<'_>) -> bool {
        (self.hosts.is_empty() || self.hosts.iter().any(|host| host.matches(request.host)))
            && self
                .path_prefix
                .as_ref()
                .is_none_or(|prefix| has_prefix(request.path, prefix))
            && (self.methods.is_empty() || self.methods.contains(request.method))
            && self
                .headers
                .iter()
                .all(|(name, value)| request.headers.get_all(name).iter().any(|it| it == value))
    }
}

impl HostPattern {
    fn new(pattern: &str) -> Self {
        match pattern.strip_prefix('*') {
            Some(suffix) => Self::Suffix(suffix.to_owned()),
            None => Self::Exact(pattern.to_owned()),
        }
    }

    fn matches(&self, host: &str) -> bool {
        let host = without_port(host);
        match self {
            Self::Exact(name) => host.eq_ignore_ascii_case(name),
            Self::Suffix(suffix) => host
                .len()
                .checked_sub(suffix.len())
                .filter(|start| *start > 0)
                .and_then(|start| host.get(start..))
                .is_some_and(|end| end.eq_ignore_ascii_case(suffix)),
        }
    }
}

/// `shop.example` of `shop.example:8080`, `[::1]` of `[::1]:8080`, without a final dot.
fn without_port(host: &str) -> &str {
    let end = match host.rfind(']') {
        Some(bracket) => bracket + 1,
        None => host.find(':').unwrap_or(host.len()),
    };
    let name = host.get(..end).unwrap_or(host);
    name.strip_suffix('.').unwrap_or(name)
}

/// Whether `path` is `prefix`, or goes on after it at a `/`.
fn has_prefix(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| prefix.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use crate::config::Match;

    use super::*;

    fn rule(matches: Match) -> Route {
        let route = crate::config::Route {
            name: "rule".to_owned(),
            matches,
            pool: 0,
        };
        Route::new(&route, Vec::new(), MethodClasses::default())
    }

    #[track_caller]
    fn check(matches: Match, method: Method, url: &str, expected: bool) {
        let (host, path) = url
            .split_once('/')
            .map_or((url, "/".to_owned()), |(host, path)| (host, format!("/{path}")));
        let mut headers = HeaderMap::new();
        headers.insert("x-beta", HeaderValue::from_static("1"));
        let request = RequestView {
            host,
            path: &path,
            method: &method,
            headers: &headers,
        };
        assert_eq!(rule(matches).matches(&request), expected, "{url}");
    }

    fn hosts(hosts: &[&str]) -> Match {
        Match {
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            ..Match::default()
        }
    }

    fn prefix(prefix: &str) -> Match {
        Match {
            path_prefix: Some(prefix.to_owned()),
            ..Match::default()
        }
    }

    #[test]
    fn an_empty_rule_matches_everything() {
        check(Match::default(), Method::GET, "any.example/path", true);
    }

    #[test]
    fn hosts_match_without_port_case_or_final_dot() {
        check(hosts(&["shop.example"]), Method::GET, "SHOP.example:8080/", true);
        check(hosts(&["shop.example"]), Method::GET, "shop.example./", true);
        check(hosts(&["shop.example"]), Method::GET, "www.shop.example/", false);
        check(hosts(&["[::1]"]), Method::GET, "[::1]:80/", true);
    }

    #[test]
    fn a_star_stands_for_one_or_more_labels() {
        check(hosts(&["*.shop.example"]), Method::GET, "www.shop.example/", true);
        check(hosts(&["*.shop.example"]), Method::GET, "a.b.shop.example:1/", true);
        check(hosts(&["*.shop.example"]), Method::GET, "shop.example/", false);
        check(hosts(&["*.shop.example"]), Method::GET, "notshop.example/", false);
    }

    #[test]
    fn a_prefix_ends_at_a_slash() {
        check(prefix("/checkout"), Method::GET, "h/checkout", true);
        check(prefix("/checkout"), Method::GET, "h/checkout/pay", true);
        check(prefix("/checkout"), Method::GET, "h/checkouts", false);
        check(prefix("/"), Method::GET, "h/anything", true);
    }

    #[test]
    fn method_and_headers_must_all_be_there() {
        let post = Match {
            methods: vec![Method::POST],
            ..Match::default()
        };
        check(post.clone(), Method::POST, "h/", true);
        check(post, Method::GET, "h/", false);
        let header = |value| Match {
            headers: vec![(HeaderName::from_static("x-beta"), HeaderValue::from_static(value))],
            ..Match::default()
        };
        check(header("1"), Method::GET, "h/", true);
        check(header("2"), Method::GET, "h/", false);
    }
}
