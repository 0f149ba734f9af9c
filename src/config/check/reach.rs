//! Which routes can never match, because an earlier one takes all that they would.

use std::collections::BTreeSet;

use crate::config::Match;
use crate::config::Route;

/// Pairs of a route that never matches and the first route that is the reason. A route that several earlier ones
/// cover only together is not seen.
pub(super) fn unreachable(routes: &[Route]) -> Vec<(usize, usize)> {
    let hosts: Vec<BTreeSet<&str>> = routes
        .iter()
        .map(|route| route.matches.hosts.iter().map(String::as_str).collect())
        .collect();
    let covered_by = |later: usize| {
        let matches = &routes[later].matches;
        (0..later).find(|earlier| covers(&routes[*earlier].matches, &hosts[*earlier], matches))
    };
    (0..routes.len())
        .filter_map(|later| Some((later, covered_by(later)?)))
        .collect()
}

/// Whether `wide`, whose hosts are `wide_hosts`, matches every request that `narrow` matches.
fn covers(wide: &Match, wide_hosts: &BTreeSet<&str>, narrow: &Match) -> bool {
    covers_path(wide.path_prefix.as_deref(), narrow.path_prefix.as_deref())
        && is_within(&narrow.methods, &wide.methods)
        && wide.headers.iter().all(|header| narrow.headers.contains(header))
        && covers_hosts(wide_hosts, &narrow.hosts)
}

fn covers_path(wide: Option<&str>, narrow: Option<&str>) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => narrow
            .strip_prefix(wide)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    }
}

/// An empty list asks nothing, so it lies within another empty one only.
fn is_within<T: PartialEq>(narrow: &[T], wide: &[T]) -> bool {
    wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|item| wide.contains(item)))
}

fn covers_hosts(wide: &BTreeSet<&str>, narrow: &[String]) -> bool {
    wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|host| covers_host(wide, host)))
}

/// `*.shop.example` covers `a.shop.example` and `*.a.shop.example`, but not `shop.example`.
fn covers_host(wide: &BTreeSet<&str>, host: &str) -> bool {
    let name = host.strip_prefix("*.").unwrap_or(host);
    let parents = name.match_indices('.').map(|(at, _)| &name[at + 1..]);
    wide.contains(host)
        || parents
            .into_iter()
            .any(|parent| wide.contains(format!("*.{parent}").as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wide: &str, narrow: &str, expected: bool) {
        assert_eq!(
            covers_host(&BTreeSet::from([wide]), narrow),
            expected,
            "{wide} {narrow}"
        );
    }

    #[test]
    fn a_wildcard_covers_what_is_below_it() {
        check("*.shop.example", "a.shop.example", true);
        check("*.shop.example", "a.b.shop.example", true);
        check("*.shop.example", "*.a.shop.example", true);
        check("*.shop.example", "*.shop.example", true);
        check("*.shop.example", "shop.example", false);
        check("*.shop.example", "ashop.example", false);
        check("*.a.shop.example", "*.shop.example", false);
        check("a.shop.example", "*.shop.example", false);
    }

    #[test]
    fn a_prefix_covers_whole_segments() {
        assert!(covers_path(Some("/a"), Some("/a/b")));
        assert!(covers_path(Some("/a"), Some("/a")));
        assert!(!covers_path(Some("/a"), Some("/ab")));
        assert!(!covers_path(Some("/a"), None));
        assert!(covers_path(None, None));
    }

    #[test]
    fn no_method_is_every_method() {
        assert!(is_within(&["GET"], &[]));
        assert!(is_within(&["GET"], &["GET", "HEAD"]));
        assert!(!is_within(&[], &["GET"]));
        assert!(!is_within(&["POST"], &["GET"]));
    }
}
