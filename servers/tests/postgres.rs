//! PostgreSQL started privately.

use statim_servers::{Postgres, PostgresOptions, ServerError};

#[test]
fn what_was_committed_survives_a_restart_and_a_crash() {
    let mut postgres = Postgres::start().unwrap();
    let (url, port) = (postgres.url(), postgres.port());
    postgres.psql("postgres", "CREATE TABLE kept (n int); INSERT INTO kept VALUES (1);").unwrap();
    postgres.restart().unwrap();
    postgres.psql("postgres", "INSERT INTO kept VALUES (2);").unwrap();
    postgres.kill().unwrap();
    let gone = postgres.psql("postgres", "SELECT 1;").unwrap_err();
    assert!(matches!(gone, ServerError::Failed { .. }), "{gone}");
    postgres.start_again().unwrap();
    assert_eq!(postgres.psql("postgres", "SELECT n FROM kept ORDER BY n;").unwrap(), "1\n2");
    assert_eq!((postgres.url(), postgres.port()), (url, port));
}

#[test]
fn a_crash_interrupts_what_was_under_way() {
    let mut postgres = Postgres::start().unwrap();
    std::thread::scope(|scope| {
        let asleep = scope.spawn({
            let url = postgres.url();
            move || {
                std::process::Command::new("psql")
                    .args([&url, "-c", "SELECT pg_sleep(600)"])
                    .output()
                    .unwrap()
            }
        });
        let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)';";
        while postgres.psql("postgres", sleeping).unwrap() != "1" {
            assert!(!asleep.is_finished());
        }
        postgres.kill().unwrap();
        assert!(!asleep.join().unwrap().status.success());
    });
    postgres.start_again().unwrap();
    postgres.stop().unwrap();
    assert!(matches!(postgres.stop(), Err(ServerError::NotRunning { .. })));
}

#[test]
fn each_database_of_the_shared_server_is_empty_and_alone() {
    let urls: Vec<String> = std::thread::scope(|scope| {
        let databases: Vec<_> =
            (0..4).map(|_| scope.spawn(|| statim_servers::database("Same name").unwrap())).collect();
        databases.into_iter().map(|it| it.join().unwrap()).collect()
    });
    for url in &urls {
        let output = std::process::Command::new("psql")
            .args([url, "-At", "-c", "CREATE TABLE mine (n int)", "-c", "SELECT current_database()"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let name = String::from_utf8(output.stdout).unwrap();
        assert!(name.contains("same_name_"), "{name}");
    }
    let mut distinct = urls.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), urls.len());
}

#[test]
fn settings_reach_the_server_and_wrong_ones_are_told() {
    let settings = vec![("deadlock_timeout".to_owned(), "123ms".to_owned())];
    let postgres = Postgres::start_with(&PostgresOptions { fsync: true, settings }).unwrap();
    assert_eq!(postgres.psql("postgres", "SHOW deadlock_timeout; SHOW fsync;").unwrap(), "123ms\non");
    let through_socket = [&postgres.socket_url_of("postgres"), "-c", "SELECT 1"];
    assert!(std::process::Command::new("psql").args(through_socket).output().unwrap().status.success());

    let settings = vec![("no_such_setting".to_owned(), "1".to_owned())];
    let wrong = Postgres::start_with(&PostgresOptions { fsync: false, settings }).unwrap_err();
    assert!(wrong.to_string().contains("no_such_setting"), "{wrong}");
}
