//! Redis started privately.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use statim_servers::{Redis, ServerError};

fn ask(redis: &Redis, command: &str) -> io::Result<String> {
    let stream = TcpStream::connect(("127.0.0.1", redis.port()))?;
    stream.set_read_timeout(Some(Duration::from_millis(300)))?;
    (&stream).write_all(format!("{command}\r\n").as_bytes())?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

#[test]
fn it_answers_dies_and_comes_back_empty_on_the_same_port() {
    let mut redis = Redis::start().unwrap();
    assert_eq!(redis.url(), format!("redis://127.0.0.1:{}/", redis.port()));
    assert_eq!(ask(&redis, "SET a 1").unwrap(), "+OK");
    assert_eq!(ask(&redis, "GET a").unwrap(), "$1");
    redis.kill().unwrap();
    assert!(ask(&redis, "PING").is_err());
    assert!(matches!(redis.kill(), Err(ServerError::NotRunning { .. })));
    redis.start_again().unwrap();
    assert!(matches!(redis.start_again(), Err(ServerError::Running { .. })));
    assert_eq!(ask(&redis, "GET a").unwrap(), "$-1");
    redis.stop().unwrap();
}

#[test]
fn paused_it_accepts_connections_and_does_not_answer() {
    let redis = Redis::start().unwrap();
    redis.pause().unwrap();
    let error = ask(&redis, "PING").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
    redis.resume().unwrap();
    assert_eq!(ask(&redis, "PING").unwrap(), "+PONG");
}

#[test]
fn many_start_at_once() {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(ask(&Redis::start().unwrap(), "PING").unwrap(), "+PONG"));
        }
    });
}
