//! Starts the servers that are named, prints a URL a line, and holds them until standard input ends:
//! `cargo run -p statim-servers -- postgres redis`.

use std::io::Read;
use std::process::ExitCode;

use statim_servers::{Alertmanager, Postgres, Prometheus, Redis, ServerError};

const PROMETHEUS: &str = "global: {scrape_interval: 5s}\n";
const ALERTMANAGER: &str = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let mut held: Vec<Box<dyn Send>> = Vec::new();
    for name in &names {
        let started = match name.as_str() {
            "postgres" => hold(Postgres::start(), Postgres::url),
            "redis" => hold(Redis::start(), Redis::url),
            "prometheus" => hold(Prometheus::start(PROMETHEUS, &[]), Prometheus::url),
            "alertmanager" => hold(Alertmanager::start(ALERTMANAGER), Alertmanager::url),
            other => {
                eprintln!("no such server: {other}; there are postgres, redis, prometheus and alertmanager");
                return ExitCode::from(2);
            }
        };
        match started {
            Ok((server, url)) => {
                println!("{url}");
                held.push(server);
            }
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
    }
    // Whether it ends or breaks, it is over.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    ExitCode::SUCCESS
}

fn hold<S: Send + 'static>(
    started: Result<S, ServerError>,
    url: impl FnOnce(&S) -> String,
) -> Result<(Box<dyn Send>, String), ServerError> {
    started.map(|server| {
        let url = url(&server);
        (Box::new(server) as Box<dyn Send>, url)
    })
}
