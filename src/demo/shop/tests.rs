//! The shop over real sockets.

use std::net::Ipv4Addr;

use http_body_util::BodyExt;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::interval;

use super::*;

/// Where a shop is open.
struct Open {
    shop: SocketAddr,
    agent: SocketAddr,
}

/// One answer.
#[derive(Debug)]
struct Answered {
    status: u16,
    location: Option<String>,
    cookie: Option<String>,
    body: String,
}

/// A shop on free ports.
async fn bound(cores: f64) -> Shop {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let options = Options {
        listen: free,
        agent: Some(free),
        cores: Cores::new(cores).unwrap(),
    };
    Shop::open(options).await.unwrap()
}

/// Opens a shop for the rest of the test.
async fn open(cores: f64) -> Open {
    let shop = bound(cores).await;
    let open = Open {
        shop: shop.address().unwrap(),
        agent: shop.agent_address().unwrap().unwrap(),
    };
    tokio::spawn(shop.serve(std::future::pending()));
    open
}

async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> Answered {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let response = sender.send_request(request).await.unwrap();
    let header = |name| {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let (location, cookie) = (header("location"), header("set-cookie"));
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Answered {
        status,
        location,
        cookie: cookie.map(|cookie| cookie.split(';').next().unwrap_or_default().to_owned()),
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

fn request(method: &str, path: &str, form: &str) -> hyper::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "shop.example")
        .header("content-length", form.len())
        .header("content-type", "application/x-www-form-urlencoded")
}

async fn fetch(address: SocketAddr, path: &str) -> Answered {
    send(address, request("GET", path, "").body(Full::default()).unwrap()).await
}

/// Posts `form` as a visitor with `cookie`, asking for JSON.
async fn submit(address: SocketAddr, path: &str, form: &str, cookie: &str) -> Answered {
    let request = request("POST", path, form)
        .header("cookie", cookie)
        .header("accept", "application/json");
    send(address, request.body(Full::from(form.to_owned())).unwrap()).await
}

fn json(answered: &Answered) -> Value {
    serde_json::from_str(&answered.body).unwrap()
}

const PAGES: [&str; 7] = [
    "/?",
    "/catalogue?page=84",
    "/product/1?",
    "/product/2000?",
    "/search?q=blue+lamp",
    "/search?q=zzz",
    "/basket?",
];

#[tokio::test]
async fn every_page_comes_as_html_and_as_json() {
    let shop = open(1.0).await.shop;
    for path in PAGES {
        let html = fetch(shop, path).await;
        assert_eq!(html.status, 200, "{html:?}");
        assert!(
            html.body.starts_with("<!DOCTYPE html>") && html.body.ends_with("</html>"),
            "{path}"
        );
        let data = fetch(shop, &format!("{path}&format=json")).await;
        assert!(data.status == 200 && json(&data).is_object(), "{data:?}");
    }
}

#[tokio::test]
async fn two_instances_show_the_same_shop() {
    let (one, other) = (open(1.0).await.shop, open(2.0).await.shop);
    for path in PAGES {
        assert_eq!(fetch(one, path).await.body, fetch(other, path).await.body, "{path}");
    }
}

#[tokio::test]
async fn a_search_finds_what_was_asked_for_even_misspelt() {
    let shop = open(1.0).await.shop;
    for query in ["lamp", "lapm", "LAMP", "a%22lamp%20OR"] {
        let found = json(&fetch(shop, &format!("/search?q={query}&format=json")).await);
        let name = found["products"][0]["name"].as_str().unwrap().to_owned();
        assert!(name.contains("lamp"), "{query}: {name}");
    }
}

#[tokio::test]
async fn a_basket_filled_at_one_instance_is_ordered_at_another() {
    let (one, other) = (open(1.0).await.shop, open(1.0).await.shop);
    let first = submit(one, "/basket", "product=17&quantity=2", "").await;
    let second = submit(other, "/basket", "product=4", &first.cookie.unwrap()).await;
    assert_eq!(json(&second)["lines"].as_array().unwrap().len(), 2);
    let cookie = second.cookie.clone().unwrap();
    for number in 1..=2 {
        let order = submit(one, "/checkout", "name=Ines&email=ines%40shop.example", &cookie).await;
        assert_eq!(json(&order)["order"], number, "{order:?}");
        assert_eq!(json(&order)["total_cents"], json(&second)["total_cents"]);
        let emptied = order.cookie.unwrap();
        let left = submit(other, "/checkout", "name=Ines&email=i%40shop.example", &emptied).await;
        assert_eq!(left.status, 400, "{left:?}");
    }
}

#[tokio::test]
async fn a_form_in_a_browser_leads_to_the_basket() {
    let shop = open(1.0).await.shop;
    let form = "product=1&quantity=1";
    let request = request("POST", "/basket", form).body(Full::from(form)).unwrap();
    let answered = send(shop, request).await;
    assert_eq!((answered.status, answered.location.as_deref()), (303, Some("/basket")));
}

#[tokio::test]
async fn what_is_typed_is_shown_and_not_run() {
    let shop = open(1.0).await.shop;
    let page = fetch(shop, "/search?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
    assert!(
        page.body.contains("&lt;script&gt;") && !page.body.contains("<script>"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn bad_input_is_refused_with_the_reason() {
    let shop = open(1.0).await.shop;
    let wrong = [
        ("/product/abc", 400, "`abc` is no number"),
        ("/product/0", 400, "`0` is no number"),
        ("/product/2001", 404, "products are numbered 1 to 2000"),
        ("/catalogue?page=-1", 400, "page: `-1` is no number"),
        ("/catalogue?page=85", 404, "the catalogue has 84 pages"),
        ("/search", 400, "q: missing"),
        ("/checkout", 405, "not for that method"),
        ("/nowhere", 404, "there is no such page"),
    ];
    for (path, status, reason) in wrong {
        let answered = fetch(shop, path).await;
        assert_eq!(answered.status, status, "{path}");
        assert!(answered.body.contains(reason), "{path}: {}", answered.body);
    }
    let wrong = [
        ("/basket", "", 400, "product: missing"),
        ("/basket", "product=1&quantity=21", 400, "quantity: 21 is too many"),
        ("/basket", "product=4000", 404, "there is no product 4000"),
        (
            "/checkout",
            "name=Ines&email=nowhere&product=1",
            400,
            "email: `nowhere` is no address",
        ),
        (
            "/checkout",
            "name=Ines&email=i%40shop.example",
            400,
            "the basket is empty",
        ),
        ("/checkout", "name=%00", 400, "email: missing"),
    ];
    for (path, form, status, reason) in wrong {
        let answered = submit(shop, path, form, "basket=1x1-forged").await;
        assert_eq!(answered.status, status, "{path} {form}");
        let error = json(&answered)["error"].as_str().unwrap().to_owned();
        assert!(error.contains(reason), "{path} {form}: {error}");
    }
}

#[tokio::test]
async fn the_agent_counts_every_byte_and_the_share_of_the_cores() {
    let shop = open(0.05).await;
    let page = fetch(shop.shop, "/product/5").await;
    let mut tries = interval(Duration::from_millis(50));
    for _ in 0..200 {
        tries.tick().await;
        let polled = fetch(shop.agent, "/metrics").await;
        let value = |name: &str| {
            let line = polled.body.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split(' ').nth(1)?.parse::<f64>().ok())
        };
        let sent = value("sylvan_agent_network_transmit_bytes_total ").unwrap_or_default();
        if sent > page.body.len() as f64 {
            assert!(value("sylvan_agent_network_receive_bytes_total ").unwrap() > 30.0);
            assert!(value("sylvan_agent_cpu_seconds_total ").unwrap() > 0.0);
            assert_eq!(value("sylvan_agent_cpu_limit_cores "), Some(0.05));
            return;
        }
    }
    panic!("the agent never saw the page");
}

#[tokio::test]
async fn a_taken_port_is_an_error_with_its_address() {
    let taken = open(1.0).await.shop;
    let options = Options {
        listen: taken,
        agent: None,
        cores: Cores::ONE,
    };
    let error = Shop::open(options).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&taken.to_string()), "{error}");
}

#[tokio::test]
async fn a_shop_closes_though_a_visitor_keeps_the_connection() {
    let shop = bound(1.0).await;
    let address = shop.address().unwrap();
    let (close, closed) = oneshot::channel::<()>();
    let serving = tokio::spawn(shop.serve(async { drop(closed.await) }));
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let page = request("GET", "/", "").body(Full::<Bytes>::default()).unwrap();
    assert_eq!(sender.send_request(page).await.unwrap().status(), 200);
    close.send(()).unwrap();
    serving.await.unwrap().unwrap();
    TcpStream::connect(address).await.unwrap_err();
}
