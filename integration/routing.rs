//! Which pool a request goes to, and which requests go nowhere.

use http::Request;

use crate::harness::Gateway;
use crate::harness::Origin;
use crate::harness::Raw;
use crate::harness::Written;
use crate::harness::fetch;

/// A gateway with three rules, and the origins that they lead to.
struct Shop {
    gateway: Gateway,
    _origins: [Origin; 3],
}

impl Shop {
    async fn open() -> Self {
        let origins = [
            Origin::start("beta").await,
            Origin::start("checkout").await,
            Origin::start("shop").await,
        ];
        let [beta, checkout, shop] = &origins;
        let config = Written::to(&[])
            .route("beta", "{ headers: { x-beta: \"1\" } }", beta)
            .route(
                "checkout",
                "{ hosts: [shop.example], path_prefix: /checkout, methods: [POST] }",
                checkout,
            )
            .route("shop", "{ hosts: [shop.example, \"*.shop.example\"] }", shop);
        Self {
            gateway: Gateway::start(&config).await,
            _origins: origins,
        }
    }

    /// Sends `METHOD host/path`, and checks which origin answers; `404` when none does.
    async fn check(&self, request: &str, headers: &[(&str, &str)], expected: &str) {
        let (method, url) = request.split_once(' ').unwrap_or_default();
        let (host, path) = url.split_once('/').unwrap_or((url, ""));
        let mut builder = Request::builder()
            .method(method)
            .uri(format!("/{path}"))
            .header("host", host);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let reply = self.gateway.connect().await.send(builder, "").await;
        let answered = if reply.origin().is_empty() {
            reply.status.to_string()
        } else {
            reply.origin()
        };
        assert_eq!(answered, expected, "{request} {headers:?}");
    }
}

#[tokio::test]
async fn the_first_rule_that_matches_decides() {
    let shop = Shop::open().await;
    shop.check("POST shop.example/checkout", &[], "checkout").await;
    shop.check("POST shop.example/checkout/pay?now=1", &[], "checkout")
        .await;
    shop.check("POST shop.example/checkout", &[("x-beta", "1")], "beta")
        .await;
    shop.check("POST shop.example/checkouts", &[], "shop").await;
    shop.check("GET shop.example/checkout", &[], "shop").await;
    shop.check("GET SHOP.example:8080/", &[], "shop").await;
    shop.check("GET www.shop.example/", &[], "shop").await;
    shop.check("GET other.example/", &[("x-beta", "1")], "beta").await;
    shop.check("GET other.example/", &[("x-beta", "2")], "404").await;
    shop.check("GET notshop.example/", &[], "404").await;
}

#[tokio::test]
async fn a_request_without_a_route_is_told_its_number_and_keeps_its_connection() {
    let shop = Shop::open().await;
    let mut connection = shop.gateway.connect().await;
    let reply = connection.get("/nowhere").await;
    assert_eq!(reply.status, 404);
    let id = reply.header("x-request-id");
    assert!(
        id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
    assert_eq!(reply.text(), format!("404 no route matches\nrequest id: {id}\n"));
    let next = connection.get("/nowhere").await;
    assert_ne!(next.header("x-request-id"), id);
}

/// A gateway that sends everything to one origin.
async fn open_to_all() -> (Gateway, Origin) {
    let origin = Origin::start("a").await;
    (Gateway::start(&Written::to(&[&origin])).await, origin)
}

/// Sends each of `requests`, to which `Host` and the rest are still missing, and checks the status.
async fn check_statuses(requests: &[(&str, u16)]) {
    let (gateway, origin) = open_to_all().await;
    for (request, expected) in requests {
        let answer = Raw::exchange(gateway.address(), request).await;
        let status = answer.split(' ').nth(1).unwrap_or("none");
        assert_eq!(status, expected.to_string(), "{request:?} was answered {answer:?}");
    }
    let passed = requests.iter().filter(|request| request.1 == 200).count() as u64;
    assert_eq!(origin.requests(), passed, "requests that reached the origin");
    assert_eq!(fetch(gateway.address(), "/").await.status, 200, "the gateway goes on");
}

#[tokio::test]
async fn a_request_without_a_host_is_refused_unless_it_is_old() {
    check_statuses(&[
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\n\r\n", 200),
    ])
    .await;
}

#[tokio::test]
async fn a_path_that_walks_is_refused() {
    check_statuses(&[
        ("GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /.. HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /%2e%2e/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a/%2E./b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a%2f..%2fb HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a\\..\\b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (
            "GET /a..b/.well-known/... HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            200,
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_could_be_read_in_two_ways_is_refused() {
    check_statuses(&[
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            400,
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX-Folded: a\r\n b\r\n\r\n", 400),
        ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("this is no HTTP\r\n\r\n", 400),
    ])
    .await;
}

#[tokio::test]
async fn a_method_of_ones_own_passes_and_a_tunnel_does_not() {
    check_statuses(&[
        ("BREW / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 405),
    ])
    .await;
}
