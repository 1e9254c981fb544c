//! A proxy between, as hospitals have it.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use statim::alert::sink::{Address, Delivered, Origin, Proxies, Secret, SinkError, Slack, Step, Webhook};
use statim_servers::vendors::{Vendor, VendorKind};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_blocking;

use super::support::{deliver, fired};
use super::tls::{Authority, Heard, serve, trusting};

/// `Basic` of `user:p4ss`.
const AUTHORIZATION: &str = "Proxy-Authorization: Basic dXNlcjpwNHNz";

/// A proxy that lets through who knows the password, and remembers the heads of what it was asked.
async fn proxy() -> (SocketAddr, Heard) {
    let heard = Heard::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hears = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(pass(stream, Arc::clone(&hears)));
        }
    });
    (address, heard)
}

async fn pass(stream: TcpStream, heard: Heard) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await? > 0 {}
    heard.lock().unwrap().extend_from_slice(head.as_bytes());
    if !head.to_lowercase().contains(&AUTHORIZATION.to_lowercase()) {
        return stream.write_all(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n").await;
    }
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if method == "CONNECT" {
        let mut there = TcpStream::connect(target).await?;
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        copy_bidirectional(&mut stream, &mut there).await?;
    } else {
        let place = target.trim_start_matches("http://").split('/').next().unwrap_or_default();
        let mut there = TcpStream::connect(place).await?;
        // To the server goes the path alone, and not the password.
        let head: String = head
            .lines()
            .filter(|it| !it.to_lowercase().starts_with("proxy-"))
            .fold(String::new(), |head, line| head + &line.replace(&format!("http://{place}"), "") + "\r\n");
        there.write_all(head.as_bytes()).await?;
        copy_bidirectional(&mut stream, &mut there).await?;
    }
    Ok(())
}

fn through(proxy: SocketAddr, user: &str) -> Proxies {
    Proxies::Always(Secret::new(format!("http://{user}{proxy}")))
}

#[tokio::test]
async fn what_is_sent_over_tls_is_not_seen_by_the_proxy() {
    let authority = Authority::new();
    let (server, told) = serve(authority.acceptor("localhost", 2100)).await;
    let (proxy, heard) = proxy().await;
    let address = Address::parse(&format!("https://localhost:{}/services/T/B/key", server.port())).unwrap();
    let http = trusting(authority.pem(), through(proxy, "user:p4ss@"));
    let sink = Slack::new("oncall", address, http).unwrap();
    assert_eq!(deliver(&sink, fired()).await, Ok(Delivered::Told));
    let heard = String::from_utf8(heard.lock().unwrap().clone()).unwrap();
    assert!(heard.starts_with(&format!("CONNECT localhost:{} HTTP/1.1\r\n", server.port())), "{heard}");
    assert!(!heard.contains("services"), "{heard}");
    let told = String::from_utf8(told.lock().unwrap().clone()).unwrap();
    assert!(told.contains("SlowAgent") && !told.to_lowercase().contains("proxy-"), "{told}");
}

#[tokio::test]
async fn what_is_sent_in_clear_is_passed_on_by_the_proxy() {
    let vendor = Vendor::start(VendorKind::Webhook).unwrap();
    let (proxy, heard) = proxy().await;
    let http = trusting(Vec::new(), through(proxy, "user:p4ss@"));
    let sink = Webhook::new("oncall", Address::parse(&vendor.url()).unwrap(), None, Origin::default(), http);
    assert_eq!(deliver(&sink, fired()).await, Ok(Delivered::Told));
    let heard = String::from_utf8(heard.lock().unwrap().clone()).unwrap();
    assert!(heard.starts_with(&format!("POST {} HTTP/1.1\r\n", vendor.url())), "{heard}");
    assert_eq!((vendor.accepted().len(), vendor.refused()), (1, vec![]));
}

/// The variables that a proxy is named by, which a test may not set for itself.
const VARIABLES: [&str; 8] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];
const TARGET: &str = "STATIM_TEST_TARGET";

#[tokio::test]
async fn the_proxy_that_the_environment_names_is_used_unless_it_excepts_the_host() {
    let vendor = Vendor::start(VendorKind::Webhook).unwrap();
    let (proxy, heard) = proxy().await;
    for (variable, except, expected) in
        [("HTTP_PROXY", "", true), ("http_proxy", "example.org", true), ("ALL_PROXY", "127.0.0.1", false)]
    {
        heard.lock().unwrap().clear();
        let mut child = Command::new(std::env::current_exe().unwrap());
        for variable in VARIABLES {
            child.env_remove(variable);
        }
        child.args(["--ignored", "--exact", "sinks::proxy::sends_as_the_environment_says"]);
        child.env(variable, format!("http://user:p4ss@{proxy}")).env("NO_PROXY", except);
        child.env(TARGET, vendor.url());
        // The proxy and the stand-in go on meanwhile.
        let output = spawn_blocking(move || child.output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        assert_eq!(!heard.lock().unwrap().is_empty(), expected, "{variable} {except}");
    }
    assert_eq!(vendor.accepted().len(), 3);
}

#[tokio::test]
#[ignore = "run by another test, in a process and environment of its own"]
async fn sends_as_the_environment_says() {
    let Ok(target) = std::env::var(TARGET) else { return };
    let http = trusting(Vec::new(), Proxies::Environment);
    let sink = Webhook::new("oncall", Address::parse(&target).unwrap(), None, Origin::default(), http);
    assert_eq!(deliver(&sink, fired()).await, Ok(Delivered::Told));
}

#[tokio::test]
async fn a_proxy_that_refuses_is_no_answer_of_the_service() {
    let (proxy, _) = proxy().await;
    let http = trusting(Authority::new().pem(), through(proxy, "user:wr0ng@"));
    let sink = Slack::new("oncall", Address::parse("https://hooks.example.org/key").unwrap(), http).unwrap();
    let error = deliver(&sink, fired()).await.unwrap_err();
    let kind = std::io::ErrorKind::PermissionDenied;
    assert_eq!(error, SinkError::Unreachable { step: Step::Proxy, kind });
    assert!(error.is_outage() && !format!("{error} {error:?} {sink:?}").contains("wr0ng"));
}
