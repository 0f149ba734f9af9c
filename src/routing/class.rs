//! Which kinds of requests a pool tells apart: its routes, and for each the methods.

use std::collections::BTreeMap;

use http::Method;

use crate::config;
use crate::pool::RouteClass;

/// The numbers that a pool has given to the kinds of requests it serves. A kind keeps its number from one
/// configuration to the next; the number of one that is gone is given away again.
#[derive(Clone, Debug, Default)]
pub struct RouteClasses {
    /// By route and method, which is empty for all methods without a number of their own.
    numbers: BTreeMap<(String, String), RouteClass>,
}

/// The classes of one route's requests.
#[derive(Clone, Debug, Default)]
pub struct MethodClasses {
    named: Vec<(Method, RouteClass)>,
    others: RouteClass,
}

impl RouteClasses {
    /// The numbers for `routes`, which all lead to the same pool, after `previous`; and those that are new or have
    /// changed hands.
    pub fn assign<'r>(
        routes: impl Iterator<Item = &'r config::Route>,
        previous: Option<&Self>,
    ) -> (Self, Vec<RouteClass>) {
        let kinds: Vec<(String, String)> = routes.flat_map(kinds).collect();
        let known = |kind: &(String, String)| {
            let number = previous.and_then(|previous| previous.numbers.get(kind)).copied();
            number.filter(|class| *class != RouteClass::OTHERS)
        };
        let mut numbers: BTreeMap<_, _> = kinds
            .iter()
            .filter_map(|kind| Some((kind.clone(), known(kind)?)))
            .collect();
        let mut given = Vec::new();
        for kind in kinds {
            if !numbers.contains_key(&kind) {
                let class = free(&numbers);
                numbers.insert(kind, class);
                given.push(class);
            }
        }
        // The last number is shared from the start, so it never changes hands.
        given.retain(|class| *class != RouteClass::OTHERS);
        (Self { numbers }, given)
    }

    /// The classes of the requests of `route`.
    #[must_use]
    pub fn of(&self, route: &config::Route) -> MethodClasses {
        let class = |method: &str| {
            let kind = (route.name.clone(), method.to_owned());
            self.numbers.get(&kind).copied().unwrap_or(RouteClass::OTHERS)
        };
        let named = methods(route);
        MethodClasses {
            others: class(""),
            named: named
                .into_iter()
                .map(|method| (method.clone(), class(method.as_str())))
                .collect(),
        }
    }
}

impl MethodClasses {
    /// The class of a request with `method`.
    #[must_use]
    pub fn of(&self, method: &Method) -> RouteClass {
        let own = self.named.iter().find(|(named, _)| named == method);
        own.map_or(self.others, |(_, class)| *class)
    }
}

/// The methods of `route` with numbers of their own: those it names, or else the two that most requests use.
fn methods(route: &config::Route) -> Vec<Method> {
    if route.matches.methods.is_empty() {
        vec![Method::GET, Method::POST]
    } else {
        route.matches.methods.clone()
    }
}

fn kinds(route: &config::Route) -> Vec<(String, String)> {
    let others = route.matches.methods.is_empty().then(String::new);
    let named = methods(route).into_iter().map(|method| method.as_str().to_owned());
    named.chain(others).map(|method| (route.name.clone(), method)).collect()
}

fn free(numbers: &BTreeMap<(String, String), RouteClass>) -> RouteClass {
    let is_free = |class: &RouteClass| numbers.values().all(|taken| taken != class);
    (0..RouteClass::COUNT)
        .map(RouteClass::new)
        .find(is_free)
        .unwrap_or(RouteClass::OTHERS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Match;

    fn route(name: &str, methods: &[Method]) -> config::Route {
        config::Route {
            name: name.to_owned(),
            matches: Match {
                methods: methods.to_vec(),
                ..Match::default()
            },
            pool: 0,
        }
    }

    /// Assigns numbers to the routes called `before`, then to those called `after`: their numbers, and which of them
    /// were given then.
    #[track_caller]
    fn check(before: &[&str], after: &[&str], expected: &[usize], given: &[usize]) {
        let routes =
            |names: &[&str]| -> Vec<config::Route> { names.iter().map(|name| route(name, &[Method::GET])).collect() };
        let (first, _) = RouteClasses::assign(routes(before).iter(), None);
        let (second, new) = RouteClasses::assign(routes(after).iter(), Some(&first));
        let number = |route: &config::Route| second.of(route).of(&Method::GET).number();
        assert_eq!(routes(after).iter().map(number).collect::<Vec<_>>(), expected);
        assert_eq!(new.into_iter().map(RouteClass::number).collect::<Vec<_>>(), given);
    }

    #[test]
    fn a_route_keeps_its_number() {
        check(&["home", "search"], &["search", "home"], &[1, 0], &[]);
    }

    #[test]
    fn the_number_of_a_route_that_is_gone_is_given_away() {
        check(&["home", "search"], &["cart", "search"], &[0, 1], &[0]);
    }

    #[test]
    fn routes_beyond_the_last_number_share_it() {
        let names: Vec<String> = (0..70).map(|number| format!("r{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let expected: Vec<usize> = (0..70).map(|number: usize| number.min(63)).collect();
        check(&[], &names, &expected, &expected[..63]);
    }

    #[test]
    fn methods_of_a_route_are_told_apart() {
        let any = route("home", &[]);
        let (classes, _) = RouteClasses::assign([&any].into_iter(), None);
        let class = |method| classes.of(&any).of(&method);
        assert_ne!(class(Method::GET), class(Method::POST));
        assert_ne!(class(Method::GET), class(Method::PUT));
        assert_eq!(class(Method::PUT), class(Method::DELETE));
    }
}
