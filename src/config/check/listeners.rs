//! The section `listeners`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::config::Admin;
use crate::config::Listener;
use crate::config::check::MOST_ITEMS;
use crate::config::check::address;
use crate::config::check::unique_name;
use crate::config::read::Located;
use crate::config::read::Section;

/// Every listener; `admin` has its own, which none may share.
pub(super) fn listeners(file: &Section<'_>, admin: Option<&Admin>) -> Option<Vec<Listener>> {
    let nodes = file
        .required("listeners", "[{ name: web, bind: \":8080\" }]")?
        .items(MOST_ITEMS)?;
    let mut taken = Taken::default();
    taken
        .binds
        .extend(admin.map(|admin| (admin.bind, "`admin`".to_owned())));
    let listeners: Vec<Option<Listener>> = nodes
        .into_iter()
        .map(|node| node.section(|section| listener(section, &mut taken))?)
        .collect();
    listeners.into_iter().collect()
}

/// What a further listener cannot have.
#[derive(Default)]
struct Taken {
    /// Names, and the lines that they are on.
    names: BTreeMap<String, usize>,
    /// Addresses, and who has them.
    binds: BTreeMap<SocketAddr, String>,
}

fn listener(section: &Section<'_>, taken: &mut Taken) -> Option<Listener> {
    let name = section
        .required("name", "web")
        .and_then(|node| unique_name(node, "listener", &mut taken.names));
    let bind = section
        .required("bind", "\":8080\"")
        .and_then(|node| unique_bind(node, &mut taken.binds));
    Some(Listener {
        name: name?,
        bind: bind?,
    })
}

/// Port 0 asks for any free port: as many listeners as like may do that.
fn unique_bind(node: Located<'_>, taken: &mut BTreeMap<SocketAddr, String>) -> Option<SocketAddr> {
    let bind = address::bind(node)?;
    if bind.port() == 0 {
        return Some(bind);
    }
    let overlaps = |other: &SocketAddr| {
        let is_anywhere = other.ip().is_unspecified() || bind.ip().is_unspecified();
        other.port() == bind.port() && (is_anywhere || *other == bind)
    };
    let other = taken
        .iter()
        .find(|(other, _)| overlaps(other))
        .map(|(_, name)| name.clone());
    taken.insert(bind, format!("the listener on line {}", node.line()));
    if let Some(other) = other {
        node.refuse(format!("{bind} is taken by {other}"), "use another port or address");
    }
    Some(bind)
}
