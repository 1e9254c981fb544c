//! The endpoint: what it answers, and that nobody can hold it up.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use statim::monitor::{Health, HttpServer, Monitor, MonitorOptions};
use statim::{AgentOptions, Priority, Runtime};

use crate::support::{Work, Worker, eager, get, request, runtime, serve, tell, wait_until, worker};

#[test]
fn each_path_answers_in_its_format() {
    let runtime = runtime();
    let monitor = Monitor::new(&runtime, eager());
    let agent = worker(&runtime, "consent");
    tell(&runtime, &agent, &Work::Well(Priority::Critical), 5);
    monitor.look();
    let server = serve(&runtime, &monitor);

    let metrics = get(server.address(), "/metrics");
    assert_eq!(metrics.status, 200);
    assert!(metrics.head.contains("content-type: text/plain; version=0.0.4"), "{}", metrics.head);
    assert!(metrics.body.contains("statim_agent_handled_total{agent=\"consent\"} 5.0"));
    let accept = "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: application/openmetrics-text;version=1.0.0\r\n\r\n";
    let metrics = request(server.address(), accept);
    assert!(
        metrics.head.contains("content-type: application/openmetrics-text; version=1.0.0"),
        "{}",
        metrics.head
    );
    assert!(metrics.body.ends_with("# EOF\n"));

    let snapshot = get(server.address(), "/snapshot?minutes=1");
    let snapshot: serde_json::Value = serde_json::from_str(&snapshot.body).unwrap();
    assert_eq!(snapshot["runtime"]["agents"][0]["handled"], 5);
    assert_eq!(snapshot["summary"]["handled"], 5);
    assert!(snapshot["system"]["process"]["resident_bytes"].as_u64().unwrap() > 0);

    let log = get(server.address(), "/history.hlog");
    assert!(log.body.contains("Tag=critical,"), "{}", log.body);

    assert_eq!(get(server.address(), "/").status, 404);
    assert_eq!(
        request(
            server.address(),
            "POST /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )
        .status,
        405
    );
}

#[test]
fn agents_that_keep_every_thread_busy_do_not_delay_an_answer() {
    let runtime = runtime();
    let monitor = Monitor::new(&runtime, eager());
    let looking = monitor.start().unwrap();
    let agent = worker(&runtime, "busy");
    runtime.block_on(async { agent.tell(Work::Block(Duration::from_secs(3))).await.unwrap() });
    let server = serve(&runtime, &monitor);
    let began = Instant::now();
    for path in ["/health/live", "/health/ready", "/metrics"] {
        assert_eq!(get(server.address(), path).status, 200, "{path}");
    }
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    drop(looking);
}

#[test]
fn readiness_names_and_times_what_is_wrong() {
    let runtime = runtime();
    let monitor = Monitor::new(&runtime, eager());
    monitor.look();
    let health = Health::of(&runtime, &monitor)
        .check("store", || async { Err("the database does not answer".to_owned()) })
        .check("slow", || async {
            std::future::pending::<()>().await;
            Ok(())
        })
        .blocking("broken", || panic!("as told"));
    let server = HttpServer::start(([127, 0, 0, 1], 0).into(), &monitor, health).unwrap();
    let answer = get(server.address(), "/health/ready");
    assert_eq!(answer.status, 503);
    let report: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let of = |name: &str| checks.iter().find(|check| check["name"] == name).unwrap();
    for name in ["runtime", "agents", "mailboxes", "monitor"] {
        assert_eq!(of(name)["ok"], true, "{name}");
        assert!(of(name)["seconds"].as_f64().unwrap() < 1.0);
    }
    assert_eq!(of("store")["detail"], "the database does not answer");
    assert!(of("slow")["seconds"].as_f64().unwrap() >= 2.0);
    assert_eq!(of("broken")["detail"], "the check panicked");
    assert_eq!(get(server.address(), "/health/live").status, 200);
}

#[test]
fn a_full_mailbox_an_agent_given_up_and_a_blind_monitor_are_not_ready() {
    let runtime = runtime();
    let options = MonitorOptions { interval: Duration::from_millis(50), ..eager() };
    let monitor = Monitor::new(&runtime, options);
    let server = serve(&runtime, &monitor);
    let failing = || -> Vec<String> {
        let answer = get(server.address(), "/health/ready");
        let report: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(report["ok"].as_bool().unwrap(), answer.status == 200);
        let wrong = report["checks"].as_array().unwrap().iter().filter(|check| check["ok"] == false);
        wrong.map(|check| check["name"].as_str().unwrap().to_owned()).collect()
    };
    monitor.look();
    assert_eq!(failing(), Vec::<String>::new());

    let full = runtime.spawn("full", AgentOptions::default().capacity(16), || Worker).unwrap();
    runtime.block_on(async {
        full.tell(Work::Block(Duration::from_secs(3))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    });
    while full.try_tell(Work::Well(Priority::Critical)).is_ok() {}
    monitor.look();
    assert_eq!(failing(), ["mailboxes"]);
    wait_until(|| {
        runtime.snapshot().agents.iter().all(|agent| agent.depth.values().all(|depth| *depth == 0))
    });

    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(failing(), ["monitor"]);
    monitor.look();

    let hopeless = runtime
        .spawn("hopeless", AgentOptions::default(), || -> Worker { panic!("it cannot be made") })
        .unwrap();
    drop(hopeless);
    let given_up = || runtime.snapshot().agents.iter().any(|agent| agent.state == statim::AgentState::Failed);
    for _ in 0..2000 {
        if given_up() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    monitor.look();
    assert_eq!(failing(), ["agents"]);
}

#[test]
fn a_client_that_sends_nothing_or_too_much_is_cut_off_and_holds_up_nobody() {
    let runtime = runtime();
    let monitor = Monitor::new(&runtime, eager());
    let server = serve(&runtime, &monitor);
    let mut silent = TcpStream::connect(server.address()).unwrap();
    silent.write_all(b"GET /metr").unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let began = Instant::now();
    let endless = format!("GET /metrics HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(100_000));
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let _ = stream.write_all(endless.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(get(server.address(), "/health/live").status, 200);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let mut rest = Vec::new();
    let _ = silent.read_to_end(&mut rest);
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
}

#[test]
fn beyond_their_bound_connections_are_closed_and_others_served_when_there_is_room() {
    let runtime = runtime();
    let monitor = Monitor::new(&runtime, eager());
    let server = serve(&runtime, &monitor);
    let crowd: Vec<_> = (0..80).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    let closed = |mut stream: &TcpStream| {
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        matches!(stream.read(&mut [0]), Ok(0)) || stream.write_all(b"x").is_err()
    };
    wait_until(|| closed(&crowd[79]));
    assert!(!closed(&crowd[0]));
    drop(crowd);
    wait_until(|| {
        let Ok(mut stream) = TcpStream::connect(server.address()) else { return false };
        let mut answer = String::new();
        let asked = stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.contains(" 200 ")
    });
}

#[test]
fn stopping_lets_go_of_the_address() {
    let runtime: Runtime = runtime();
    let monitor = Monitor::new(&runtime, eager());
    let server = serve(&runtime, &monitor);
    let address = server.address();
    let taken = HttpServer::start(address, &monitor, Health::default()).unwrap_err().to_string();
    assert!(taken.contains(&address.to_string()), "{taken}");
    let idle = TcpStream::connect(address).unwrap();
    assert_eq!(get(address, "/health/live").status, 200);
    let began = Instant::now();
    runtime.block_on(server.stop());
    assert!(began.elapsed() < Duration::from_secs(5));
    drop(idle);
    drop(HttpServer::start(address, &monitor, Health::default()).unwrap());
}

#[test]
fn a_program_adds_routes_that_are_behind_the_monitors_own() {
    let runtime = runtime();
    let monitor = Monitor::new(&runtime, eager());
    let mine = |text: &'static str| axum::routing::get(move || async move { text });
    let routes = axum::Router::new().route("/mine", mine("mine")).route("/health/live", mine("dead"));
    let health = Health::of(&runtime, &monitor);
    let server = HttpServer::start_with(([127, 0, 0, 1], 0).into(), &monitor, health, routes, 2).unwrap();
    let answer = get(server.address(), "/mine");
    assert_eq!((answer.status, answer.body.as_str()), (200, "mine"));
    assert!(answer.head.contains("cache-control: no-store"), "{}", answer.head);
    let live = get(server.address(), "/health/live");
    assert!(live.status == 200 && live.body.contains("process"), "{}", live.body);
    assert_eq!(get(server.address(), "/other").status, 404);
}
