//! Many runs give what each of them gives alone.

use crate::config::Source;
use crate::simulation::Contender;
use crate::simulation::Row;
use crate::simulation::Suite;
use crate::simulation::parse;
use crate::units::Share;

fn suite() -> Suite {
    let text = include_str!("../../../conf/scenarios/example.yaml");
    let text = text
        .replace("duration: 60s", "duration: 12s")
        .replace("unmeasured: 10s", "unmeasured: 1s");
    let scenario = |name| parse(name, Source { name, text: &text }).unwrap();
    Suite {
        scenarios: vec![scenario("one"), scenario("other")],
        contenders: ["round_robin", "random", "least_requests", "marginal_cost"]
            .map(|it| Contender::named(it).unwrap())
            .to_vec(),
        seeds: 3..6,
        jitter: Share::new(0.1).unwrap(),
    }
}

fn json(threads: usize) -> String {
    let rows: Vec<Row> = suite().run(threads, |_| {}).iter().map(Row::from).collect();
    serde_json::to_string(&rows).unwrap()
}

#[test]
fn the_same_seeds_give_the_same_bytes_on_any_number_of_threads() {
    let alone = json(1);
    assert_eq!(alone, json(4));
    assert_eq!(alone, json(1));
}

#[test]
fn reports_come_in_the_order_of_scenarios_selectors_and_seeds() {
    let mut told = 0;
    let reports = suite().run(3, |_| told += 1);
    assert_eq!((reports.len(), told), (suite().len(), suite().len()));
    let first: Vec<String> = reports
        .iter()
        .step_by(3)
        .map(|it| format!("{} {} {}", it.scenario, it.selector, it.seed))
        .collect();
    let expected = ["round_robin", "random", "least_requests", "marginal_cost"];
    let expected: Vec<String> = ["one", "other"]
        .iter()
        .flat_map(|world| expected.map(|name| format!("{world} {name} 3")))
        .collect();
    assert_eq!(first, expected);
}
