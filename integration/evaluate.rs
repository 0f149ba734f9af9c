//! `sylvan evaluate`: its figures are of the traffic that was sent, and a gateway finds its file as it was.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::harness::Gateway;
use crate::harness::Launched;
use crate::harness::Origin;
use crate::harness::Written;
use crate::harness::eventually;

const QUICK: [&str; 12] = [
    "--rate",
    "100/s",
    "--duration",
    "2s",
    "--slice",
    "400ms",
    "--warm-up",
    "100ms",
    "--saturation",
    "800ms",
    "--json",
    "figures.json",
];

/// An evaluation that has ended.
struct Ended {
    code: i32,
    output: String,
    /// What `--json` wrote.
    figures: Value,
    /// What `--html` wrote to `page.html`.
    page: String,
    /// The gateway's file afterwards.
    config: String,
}

impl Ended {
    fn rows(&self) -> Vec<Value> {
        self.figures["rows"].as_array().cloned().unwrap_or_default()
    }
}

/// `sylvan evaluate` with `options` on the file with `text`, to its end.
async fn evaluate(text: &str, options: &[&str]) -> Ended {
    let mut arguments = vec!["evaluate", "-c", "gateway.yaml"];
    arguments.extend(options);
    arguments.extend(QUICK);
    let mut process = Launched::new(&text, &arguments);
    let code = process.exit().await;
    let read = |name: &str| fs::read_to_string(process.path(name)).unwrap_or_default();
    Ended {
        code,
        output: process.output(),
        figures: serde_json::from_str(&read("figures.json")).unwrap_or_default(),
        page: read("page.html"),
        config: read("gateway.yaml"),
    }
}

#[tokio::test]
async fn a_gateway_of_its_own_serves_every_selector_with_the_same_traffic() {
    let origins = [Origin::start("a").await, Origin::start("b").await];
    let text = Written::to(&[&origins[0], &origins[1]]).to_string();
    let ended = evaluate(&text, &["--selectors", "round_robin,least_requests"]).await;
    assert_eq!((ended.code, &ended.config), (0, &text), "{}", ended.output);
    let rows = ended.rows();
    assert_eq!(rows.len(), 2, "{}", ended.output);
    assert_eq!(rows[0]["requests"], rows[1]["requests"]);
    for row in &rows {
        assert_eq!(row["errors"], 0, "{row}");
        assert!(row["requests"].as_u64().is_some_and(|requests| requests > 100), "{row}");
        assert!(
            row["mean_ms"].as_f64() > Some(0.0) && row["throughput_rps"].as_f64() > Some(100.0),
            "{row}"
        );
    }
    let shares = rows[0]["share"].as_array().cloned().unwrap_or_default();
    assert!(
        shares
            .iter()
            .all(|share| (share.as_f64().unwrap_or(0.0) - 0.5).abs() < 0.05),
        "{shares:?}"
    );
    assert_eq!(ended.figures["comparisons"][0]["baseline"], "round_robin");
}

#[tokio::test]
async fn another_balancer_takes_turns_with_the_same_traffic() {
    let origins = [Origin::start("a").await, Origin::start("b").await];
    let text = Written::to(&[&origins[0]]).to_string();
    let rival = format!("<other>=http://{}", origins[1].address());
    let options = ["--selectors", "round_robin", "--rival", &rival, "--html", "page.html"];
    let ended = evaluate(&text, &options).await;
    let (output, rows) = (&ended.output, ended.rows());
    assert_eq!(ended.code, 0, "{output}");
    assert_eq!(
        (&rows[0]["requests"], rows.len()),
        (&rows[1]["requests"], 2),
        "{output}"
    );
    assert_eq!(
        (&rows[1]["selector"], &rows[1]["errors"]),
        (&"<other>".into(), &0.into())
    );
    assert_eq!(rows[1]["share"], Value::Array(vec![]));
    assert_eq!(ended.figures["comparisons"][0]["selector"], "<other>");
    check_page(&ended.page, &origins[0]);
}

/// The page of `round_robin` and `<other>`, which chose for itself.
#[track_caller]
fn check_page(page: &str, origin: &Origin) {
    let address = origin.address();
    for part in [
        ">round_robin</td>",
        ">&lt;other&gt;</td>",
        "round_robin: share of each backend over the slices",
        &format!("</i>{address}</span>"),
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("<other>") && !page.contains("<script"), "{page}");
}

/// A gateway that evaluations find by the addresses in its file; the file's text and path.
async fn running(origin: &Origin) -> (Gateway, String, String) {
    let mut gateway = Gateway::start(&Written::to(&[origin]).selector("random")).await;
    let (web, admin) = (gateway.address(), gateway.admin());
    let config = Written::to(&[origin])
        .selector("random")
        .top(&format!("admin: {{ bind: \"{admin}\" }} # it is found by this"))
        .top(&format!("listeners: [{{ name: web, bind: \"{web}\" }}]"))
        .to_string();
    gateway.replace(&config);
    let path = gateway.process().path("gateway.yaml").display().to_string();
    (gateway, config, path)
}

/// `sylvan evaluate` on the file at `path`.
fn launch(path: &str) -> Launched {
    let mut arguments = vec!["evaluate", "-c", path, "--selectors", "round_robin,least_requests"];
    arguments.extend(QUICK);
    Launched::new(&"", &arguments)
}

async fn check_restored(gateway: &Gateway, path: &str, config: &str) {
    assert_eq!(fs::read_to_string(path).unwrap_or_default(), config);
    assert!(!fs::exists(format!("{path}.original")).unwrap_or(true));
    eventually("its own selector is back", async || {
        (gateway.pool().await["selector"] == "random").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_running_gateway_is_measured_and_finds_its_file_as_it_was() {
    let origin = Origin::start("a").await;
    let (gateway, config, path) = running(&origin).await;
    let link = format!("{path}.link");
    symlink("gateway.yaml", &link).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let mut process = launch(&link);
    eventually("the file is rewritten", async || {
        (fs::read_to_string(&path).unwrap_or_default().contains("round_robin")).then_some(())
    })
    .await;
    assert_eq!(mode(&format!("{path}.original")), 0o600);
    assert_eq!(process.exit().await, 0, "{}", process.output());
    check_restored(&gateway, &path, &config).await;
    assert_eq!(mode(&path), 0o600);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

fn mode(path: &str) -> u32 {
    fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o7777)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_gateway_of_its_own_does_not_outlive_a_killed_evaluation() {
    let origin = Origin::start("a").await;
    let mut arguments = vec!["evaluate", "-c", "gateway.yaml", "--selectors", "random"];
    arguments.extend(QUICK);
    let process = Launched::new(&Written::to(&[&origin]), &arguments);
    eventually("traffic flows", async || (origin.requests() > 0).then_some(())).await;
    let id = process.id();
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    let child = children.trim().parse::<u32>().unwrap();
    process.signal("KILL");
    eventually("its gateway is gone", async || {
        // Nobody may be there to ask how it ended: then it is left with an empty command line.
        let command = fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
        command.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn whatever_ends_an_evaluation_leaves_the_file_as_it_was() {
    let origin = Origin::start("a").await;
    let (gateway, config, path) = running(&origin).await;
    for signal in ["INT", "TERM", "HUP"] {
        let mut process = launch(&path);
        eventually("the file is rewritten", async || {
            (fs::read_to_string(&path).unwrap_or_default().contains("round_robin")).then_some(())
        })
        .await;
        let mut second = launch(&path);
        assert_eq!(second.exit().await, 1, "{}", second.output());
        process.signal(signal);
        assert_eq!(process.exit().await, 1, "{}", process.output());
        check_restored(&gateway, &path, &config).await;
    }
}

#[tokio::test]
async fn an_edit_during_an_evaluation_stays() {
    let origin = Origin::start("a").await;
    let (gateway, config, path) = running(&origin).await;
    let mut process = launch(&path);
    eventually("the file is rewritten", async || {
        (fs::read_to_string(&path).unwrap_or_default().contains("round_robin")).then_some(())
    })
    .await;
    let edited = config.replace("random", "hash");
    gateway.replace(&edited);
    assert_eq!(process.exit().await, 2, "{}", process.output());
    assert!(
        process.output().contains("changed by somebody else"),
        "{}",
        process.output()
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), edited);
    assert_eq!(fs::read_to_string(format!("{path}.original")).unwrap(), config);
}

#[tokio::test]
async fn what_cannot_be_evaluated_is_said() {
    let origin = Origin::start("a").await;
    let text = Written::to(&[&origin]).to_string();
    check_refused(
        &text,
        &["--selectors", "random,best"],
        (2, "unknown selector type `best`"),
    )
    .await;
    check_refused(&text, &["--selectors", "random, best"], (2, "--> gateway.yaml:")).await;
    check_refused(
        &text,
        &["--selectors", "random, random"],
        (2, "`random` is named twice"),
    )
    .await;
    check_refused(&text, &["--selectors", "random,"], (2, "a name is empty")).await;
    assert_eq!(origin.requests(), 0);
    check_refused("version: 1", &["--selectors", "random"], (2, "")).await;
    let rival = ["--selectors", "random", "--rival", "http://localhost"];
    check_refused(&text, &rival, (2, "write a name and a URL")).await;
}

async fn check_refused(text: &str, options: &[&str], (code, part): (i32, &str)) {
    let ended = evaluate(text, options).await;
    assert!(
        ended.code == code && ended.output.contains(part),
        "{}: {}",
        ended.code,
        ended.output
    );
}

#[tokio::test]
async fn a_page_that_cannot_be_written_is_refused_before_anything_is_measured() {
    let origin = Origin::start("a").await;
    let text = Written::to(&[&origin]).to_string();
    let ended = evaluate(&text, &["--selectors", "random", "--html", "none/page.html"]).await;
    assert_eq!(
        (ended.code, ended.output.as_str()),
        (
            1,
            "error: cannot write none/page.html: No such file or directory (os error 2)\n"
        ),
    );
    let url = format!("http://{}", origin.address());
    let mut traffic = Launched::new(&"", &["traffic", &url, "--html", "none/page.html"]);
    assert_eq!(traffic.exit().await, 1, "{}", traffic.output());
    assert_eq!(origin.requests(), 0);
}
