//! The section `backends`.

use crate::config::read::Located;
use crate::config::read::Section;
use crate::simulation::scenario::Discipline;
use crate::simulation::scenario::Machine;
use crate::simulation::scenario::read::numbers;
use crate::units::Weight;

const MOST_BACKENDS: usize = 1_024;
/// Requests that a backend holds.
const MOST_HELD: u64 = 1_000_000;
const DEFAULT_RUNNING: usize = 64;
const DEFAULT_QUEUED: usize = 256;

pub(super) fn backends(file: &Section<'_>) -> Option<Vec<Machine>> {
    let list = file.required("backends", "[{ count: 4, cores: 4 }]")?;
    let groups: Vec<Vec<Machine>> = list
        .items(MOST_BACKENDS)?
        .into_iter()
        .map(|node| node.section(group)?)
        .collect::<Option<_>>()?;
    let machines: Vec<Machine> = groups.into_iter().flatten().collect();
    if machines.len() > MOST_BACKENDS {
        list.refuse(
            format!("there are {} backends", machines.len()),
            format!("at most {MOST_BACKENDS} are possible"),
        );
        return None;
    }
    Some(machines)
}

/// `count` machines of one kind.
fn group(section: &Section<'_>) -> Option<Vec<Machine>> {
    let machine = Machine {
        cores: section.or("cores", 4.0, |node| numbers::decimal(node, 0.1..=1_000.0)),
        speed: section.or("speed", 1.0, |node| numbers::decimal(node, 0.01..=1_000.0)),
        weight: section.or("weight", Weight::ONE, weight),
        max_queued: section.or("max_queued", DEFAULT_QUEUED, |node| whole(node, 0)),
        discipline: discipline(section)?,
    };
    let count = section.or("count", 1, |node| node.number(1..=MOST_BACKENDS as u64));
    Some((0..count).map(|_| machine.clone()).collect())
}

fn discipline(section: &Section<'_>) -> Option<Discipline> {
    let running = section.or("max_running", DEFAULT_RUNNING, |node| whole(node, 1));
    let sharing = Discipline::ProcessorSharing { max_running: running };
    let pool = Discipline::ThreadPool { threads: 0 };
    let choices = [
        ("processor_sharing", sharing.clone()),
        ("fifo", Discipline::Fifo),
        ("thread_pool", pool),
    ];
    let chosen = section.or("discipline", sharing, |node| node.choice(&choices));
    if !matches!(chosen, Discipline::ProcessorSharing { .. }) {
        section.inapplicable("max_running", "is for `processor_sharing` alone");
    }
    if let Discipline::ThreadPool { .. } = chosen {
        let threads = section.required("threads", "16").and_then(|node| whole(node, 1))?;
        return Some(Discipline::ThreadPool { threads });
    }
    section.inapplicable("threads", "is for `thread_pool` alone");
    Some(chosen)
}

fn whole(node: Located<'_>, least: u64) -> Option<usize> {
    node.number(least..=MOST_HELD).map(|number| number as usize)
}

fn weight(node: Located<'_>) -> Option<Weight> {
    let number = node.number(1..=u64::from(Weight::MAX))?;
    u16::try_from(number).ok().and_then(Weight::new)
}
