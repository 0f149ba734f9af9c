//! The section `routes`.

use std::collections::BTreeMap;

use http::HeaderName;
use http::HeaderValue;
use http::Method;
use http::header;

use crate::config::Match;
use crate::config::Route;
use crate::config::check::MOST_ITEMS;
use crate::config::check::address;
use crate::config::check::path::parse_path;
use crate::config::check::pools::NamedPool;
use crate::config::check::reach;
use crate::config::check::unique_name;
use crate::config::error::quoted;
use crate::config::read::Located;
use crate::config::read::Refusal;
use crate::config::read::Section;
use crate::config::read::nearest;

/// Hosts, methods and headers of one route.
const MOST_CONDITIONS: usize = 256;

/// Every route; warns of routes that cannot match, and of pools that none of them names.
pub(super) fn routes(file: &Section<'_>, pools: Option<&[NamedPool<'_>]>) -> Option<Vec<Route>> {
    let nodes = file
        .required("routes", "[{ name: everything, pool: shop }]")?
        .items(MOST_ITEMS)?;
    let mut names = BTreeMap::new();
    let read = |node: &Located<'_>| node.section(|section| route(section, &mut names, pools))?;
    let routes: Option<Vec<Route>> = nodes.iter().map(read).collect::<Vec<_>>().into_iter().collect();
    let routes = routes?;
    warn_of_unreachable(&nodes, &routes);
    warn_of_unused(pools?, &routes);
    Some(routes)
}

fn warn_of_unreachable(nodes: &[Located<'_>], routes: &[Route]) {
    for (later, earlier) in reach::unreachable(routes) {
        nodes[later].warn(
            format!(
                "route `{}` never matches: `{}` takes all that it would",
                routes[later].name, routes[earlier].name
            ),
            format!("move it above line {}, or remove it", nodes[earlier].line()),
        );
    }
}

fn warn_of_unused(pools: &[NamedPool<'_>], routes: &[Route]) {
    for (index, pool) in pools.iter().enumerate() {
        if routes.iter().all(|route| route.pool != index) {
            pool.node.warn(
                format!("no route names pool `{}`", pool.name),
                "add a route, or remove the pool",
            );
        }
    }
}

fn route(section: &Section<'_>, names: &mut BTreeMap<String, usize>, pools: Option<&[NamedPool<'_>]>) -> Option<Route> {
    let name = section
        .required("name", "everything")
        .and_then(|node| unique_name(node, "route", names));
    let matches = section.or("match", Match::default(), |node| node.section(conditions));
    let pool = section
        .required("pool", "shop")
        .and_then(|node| pool_index(node, name.as_deref(), pools?));
    Some(Route {
        name: name?,
        matches,
        pool: pool?,
    })
}

fn pool_index(node: Located<'_>, route: Option<&str>, pools: &[NamedPool<'_>]) -> Option<usize> {
    node.parsed("the name of a pool", |text| {
        let undefined = || {
            let route = route.map_or("this route".to_owned(), |route| format!("route `{route}`"));
            Refusal::new(
                format!("{route} names pool {}, which is not defined", quoted(text)),
                pool_remedy(text, pools),
            )
        };
        pools.iter().position(|pool| pool.name == text).ok_or_else(undefined)
    })
}

fn pool_remedy(text: &str, pools: &[NamedPool<'_>]) -> String {
    let names: Vec<&str> = pools.iter().map(|pool| pool.name).collect();
    match nearest(text, &names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "define it under `pools`, or name another".to_owned(),
    }
}

fn conditions(section: &Section<'_>) -> Match {
    Match {
        hosts: list(section, "hosts", address::requested_host),
        path_prefix: section.optional("path_prefix").and_then(path_prefix),
        methods: list(section, "methods", method),
        headers: section.or("headers", Vec::new(), headers),
    }
}

fn list<T>(section: &Section<'_>, key: &'static str, read: impl FnMut(Located<'_>) -> Option<T>) -> Vec<T> {
    let nodes = section.optional(key).and_then(|node| node.items(MOST_CONDITIONS));
    nodes.unwrap_or_default().into_iter().filter_map(read).collect()
}

/// `/` asks nothing; a `/` at the end makes no difference.
fn path_prefix(node: Located<'_>) -> Option<String> {
    let prefix = node.parsed("a path such as /checkout", |text| parse_path(text).map(str::to_owned))?;
    let prefix = prefix.trim_end_matches('/');
    (!prefix.is_empty()).then(|| prefix.to_owned())
}

fn method(node: Located<'_>) -> Option<Method> {
    node.parsed("a method such as GET", |text| {
        match Method::from_bytes(text.as_bytes()) {
            Ok(method) if text.to_ascii_uppercase() == text => Ok(method),
            Ok(_) => Err(Refusal::new(
                format!("{} is not a method", quoted(text)),
                format!("write `{}`", text.to_ascii_uppercase()),
            )),
            Err(_) => Err(Refusal::new(
                format!("{} is not a method", quoted(text)),
                "write one as in GET or POST",
            )),
        }
    })
}

fn headers(node: Located<'_>) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let mut headers = BTreeMap::new();
    for (name, value) in node.entries()? {
        let Some((name, value)) = header_name(name, value).zip(header_value(value)) else {
            continue;
        };
        if headers.insert(name.as_str().to_owned(), (name, value.1)).is_some() {
            value.0.refuse_key(
                "this header stands twice",
                "remove one: upper and lower case make no difference",
            );
        }
    }
    Some(headers.into_values().collect())
}

fn header_name(name: &str, value: Located<'_>) -> Option<HeaderName> {
    match HeaderName::from_bytes(name.as_bytes()) {
        Ok(header::HOST) => value.refuse_key("`host` is not matched as a header", "use `hosts`"),
        Ok(name) => return Some(name),
        Err(_) => value.refuse_key(
            format!("{} is not a header name", quoted(name)),
            "write it as in x-beta",
        ),
    }
    None
}

fn header_value<'d>(node: Located<'d>) -> Option<(Located<'d>, HeaderValue)> {
    let value = node.text()?;
    match HeaderValue::from_str(value) {
        Ok(value) => Some((node, value)),
        Err(_) => {
            node.refuse(
                "this is not a header value",
                "write it without line breaks and control characters",
            );
            None
        }
    }
}
