//! What the service promises, on both databases.

use std::sync::Arc;
use std::time::Duration;

use statim::alert::service::{AlertLedger, ServiceOptions};
use statim::alert::sink::Sink;
use statim::alert::{Rule, Status, Why};
use statim::resilience::{Backoff, BreakerOptions};

use crate::bench::{Bench, Database, STEP, on_both, options, rule, setup, until};
use crate::receiver::{Answer, Receiver};

fn sinks(receivers: &[&Arc<Receiver>]) -> Vec<Arc<dyn Sink>> {
    receivers.iter().map(|it| Arc::clone(it) as Arc<dyn Sink>).collect()
}

on_both! {
    async fn what_fires_and_what_is_over_is_told_once_to_each_sink(database: Database) {
        let (one, other) = (Receiver::new("one"), Receiver::new("other"));
        let mut bench = Bench::open(&database, setup(vec![rule()], sinks(&[&one, &other]))).await;
        for values in [[1.0, 20.0], [1.0, 20.0], [30.0, 1.0], [1.0, 1.0]] {
            bench.step(&[("a", values[0]), ("b", values[1])]).await;
            bench.sent().await;
        }
        for receiver in [&one, &other] {
            let mut told = receiver.told();
            told.sort();
            assert_eq!(told, ["fired a:firing", "fired b:firing", "resolved a:resolved", "resolved b:resolved"]);
            assert_eq!(receiver.repetitions(), 0);
        }
        bench.close().await;
    }
}

on_both! {
    async fn what_is_pending_at_the_end_of_a_process_fires_in_the_next(database: Database) {
        let receiver = Receiver::new("one");
        let patient = Rule { hold: Duration::from_secs(4 * STEP), ..rule() };
        let mut bench = Bench::open(&database, setup(vec![patient.clone()], sinks(&[&receiver]))).await;
        for _ in 0..3 {
            bench.step(&[("a", 20.0)]).await;
        }
        assert!(!bench.service.open_alerts()[0].firing && receiver.taken().is_empty());
        let second = bench.close().await;
        // Pending since 10; fires at 50, as it would have without an end in between.
        let mut bench =
            Bench::open(&database, setup(vec![patient], sinks(&[&receiver]))).await.from(second);
        bench.step(&[("a", 20.0)]).await;
        assert!(!bench.service.open_alerts()[0].firing);
        bench.step(&[("a", 20.0)]).await;
        bench.sent().await;
        assert_eq!(receiver.told(), ["fired a:firing"]);
        bench.close().await;
    }
}

on_both! {
    async fn a_sink_that_is_down_for_a_while_is_told_everything_in_order_afterwards(database: Database) {
        let (down, up) = (Receiver::new("down"), Receiver::new("up"));
        let mut bench = Bench::open(&database, setup(vec![rule()], sinks(&[&down, &up]))).await;
        down.always(Answer::Status(503, None));
        bench.step(&[("a", 20.0)]).await;
        until(|| down.asked().len() > 2 && up.told().len() == 1).await;
        bench.step(&[("a", 1.0)]).await;
        until(|| up.told().len() == 2).await;
        assert_eq!(down.taken().len(), 0);
        // Over a restart too.
        let second = bench.close().await;
        let bench = Bench::open(&database, setup(vec![rule()], sinks(&[&down, &up]))).await;
        let mut bench = bench.from(second);
        bench.step(&[("a", 1.0)]).await;
        assert_eq!(bench.service.waiting(), 2);
        down.always(Answer::Take);
        bench.sent().await;
        assert_eq!(down.told(), ["fired a:firing", "resolved a:resolved"]);
        assert!(down.taken()[0].attempt > 2, "attempts are counted over a restart");
        assert_eq!((up.told().len(), up.repetitions(), down.repetitions()), (2, 0, 0));
        bench.close().await;
    }
}

on_both! {
    async fn what_takes_no_answer_holds_up_nothing_else(database: Database) {
        let receiver = Receiver::new("one");
        let mut bench = Bench::open(&database, setup(vec![rule()], sinks(&[&receiver]))).await;
        let of_a = |delivery: &statim::alert::sink::Delivery| {
            delivery.notification.notices.iter().any(|it| it.alert.labels.get("agent") == "a")
        };
        receiver.answer(move |it| if of_a(it) { Answer::Status(500, None) } else { Answer::Take });
        bench.step(&[("a", 20.0), ("b", 20.0)]).await;
        until(|| receiver.told() == ["fired b:firing"]).await;
        bench.step(&[("a", 1.0), ("b", 1.0)]).await;
        until(|| receiver.told() == ["fired b:firing", "resolved b:resolved"]).await;
        receiver.always(Answer::Take);
        bench.sent().await;
        assert_eq!(receiver.told()[2..], ["fired a:firing", "resolved a:resolved"]);
        bench.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_says_when_is_left_alone_until_then() {
    let (database, receiver) = (Database::sqlite(), Receiver::new("one"));
    let rest = Duration::from_millis(400);
    let mut first = true;
    receiver.answer(
        move |_| {
            if std::mem::take(&mut first) { Answer::Status(429, Some(rest)) } else { Answer::Take }
        },
    );
    let mut bench = Bench::open(&database, setup(vec![rule()], sinks(&[&receiver]))).await;
    bench.step(&[("a", 20.0)]).await;
    until(|| !receiver.asked().is_empty()).await;
    // Something else, which is due at once, waits too.
    bench.step(&[("a", 20.0), ("b", 20.0)]).await;
    bench.sent().await;
    let asked = receiver.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked[1].0 - asked[0].0 >= rest, "{asked:?}");
    // What was tried least comes first.
    assert_eq!(receiver.told(), ["fired b:firing", "fired a:firing"]);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_never_answers_is_asked_again() {
    let (database, receiver) = (Database::sqlite(), Receiver::new("one"));
    let mut asked = 0;
    receiver.answer(move |_| {
        asked += 1;
        if asked < 3 { Answer::Hang } else { Answer::Take }
    });
    let options = ServiceOptions { timeout: Duration::from_millis(50), ..options() };
    let mut bench = Bench::open_with(&database, setup(vec![rule()], sinks(&[&receiver])), options).await;
    bench.step(&[("a", 20.0)]).await;
    bench.sent().await;
    assert_eq!(receiver.taken()[0].attempt, 3);
    bench.close().await;
}

on_both! {
    async fn what_is_refused_for_good_can_be_looked_at_and_is_not_tried_again(database: Database) {
        let receiver = Receiver::new("one");
        let mut bench = Bench::open(&database, setup(vec![rule()], sinks(&[&receiver]))).await;
        receiver.always(Answer::Status(400, None));
        bench.step(&[("a", 20.0)]).await;
        bench.sent().await;
        receiver.always(Answer::Take);
        bench.step(&[("a", 1.0)]).await;
        bench.sent().await;
        // Nobody knows what the receiver made of what it refused: that it is over is told all the same.
        assert_eq!(receiver.told(), ["resolved a:resolved"]);
        assert_eq!(receiver.asked().len(), 2);
        let ledger = AlertLedger::open(&database.store().await).await.unwrap();
        let refused = ledger.deliveries(Some("undeliverable"), 10).await.unwrap();
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert_eq!((refused[0].sink.as_str(), refused[0].why.as_str(), refused[0].attempts), ("one", "fired", 1));
        assert!(refused[0].reason.as_deref().is_some_and(|it| it.contains("400")), "{refused:?}");
        bench.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_can_have_heard_of_is_taken_back() {
    let (database, receiver) = (Database::sqlite(), Receiver::new("one"));
    let breaker = BreakerOptions {
        open: Backoff::constant(Duration::from_millis(600)),
        ..BreakerOptions::consecutive_failures(1)
    };
    let options = ServiceOptions { breaker, ..options() };
    let mut bench = Bench::open_with(&database, setup(vec![rule()], sinks(&[&receiver])), options).await;
    receiver.always(Answer::Status(500, None));
    bench.step(&[("a", 20.0)]).await;
    until(|| receiver.asked().len() == 1).await;
    // The breaker is open: of b nothing is tried, of a something may have arrived.
    bench.step(&[("a", 20.0), ("b", 20.0)]).await;
    bench.step(&[("a", 1.0), ("b", 1.0)]).await;
    assert_eq!(bench.service.waiting(), 2);
    receiver.always(Answer::Take);
    bench.sent().await;
    assert_eq!(receiver.told(), ["fired a:firing", "resolved a:resolved"]);
    let ledger = AlertLedger::open(&database.store().await).await.unwrap();
    assert_eq!(ledger.deliveries(Some("cancelled"), 10).await.unwrap().len(), 1);
    bench.close().await;
}

on_both! {
    async fn a_receiver_that_forgets_is_told_again_over_a_restart_too(database: Database) {
        let receiver = Receiver::forgetful("one", Duration::from_millis(200));
        let mut bench = Bench::open(&database, setup(vec![rule()], sinks(&[&receiver]))).await;
        bench.step(&[("a", 20.0)]).await;
        let repeats = |status: Status| {
            let taken = receiver.taken();
            taken.iter().filter(|it| it.why == Why::Repeat && it.notices[0].1 == status).count()
        };
        until(|| repeats(Status::Firing) >= 2).await;
        let second = bench.close().await;
        let before = repeats(Status::Firing);
        let bench = Bench::open(&database, setup(vec![rule()], sinks(&[&receiver]))).await;
        let mut bench = bench.from(second);
        bench.step(&[("a", 20.0)]).await;
        until(|| repeats(Status::Firing) > before).await;
        bench.step(&[("a", 1.0)]).await;
        until(|| repeats(Status::Resolved) >= 2).await;
        let second = bench.close().await;
        let before = repeats(Status::Resolved);
        let bench = Bench::open(&database, setup(vec![rule()], sinks(&[&receiver]))).await;
        let mut bench = bench.from(second);
        bench.step(&[("a", 1.0)]).await;
        until(|| repeats(Status::Resolved) > before).await;
        // Once it was over, nobody said that it fires.
        let taken = receiver.taken();
        let over = taken.iter().position(|it| it.why == Why::Resolved).unwrap();
        assert!(taken[over..].iter().all(|it| it.notices.iter().all(|(_, status, _)| *status == Status::Resolved)));
        bench.close().await;
    }
}

on_both! {
    async fn of_two_processes_one_evaluates_and_the_other_takes_over(database: Database) {
        let receiver = Receiver::new("one");
        let mut first = Bench::open(&database, setup(vec![rule()], sinks(&[&receiver]))).await;
        first.step(&[("a", 20.0)]).await;
        let second = Bench::open(&database, setup(vec![rule()], sinks(&[&receiver]))).await;
        for _ in 0..3 {
            let tick = second.service.tick_at(Bench::at(20)).await.unwrap();
            assert!(!tick.leads && !second.service.leads());
        }
        assert!(second.service.acknowledge("x", "ann").await.unwrap_err().to_string().contains("another process"));
        first.sent().await;
        let at = first.close().await;
        let mut second = second.from(at);
        second.step(&[("a", 20.0)]).await;
        assert!(second.service.open_alerts()[0].firing);
        second.step(&[("a", 1.0)]).await;
        second.sent().await;
        assert_eq!(receiver.told(), ["fired a:firing", "resolved a:resolved"]);
        assert_eq!(receiver.repetitions(), 0);
        second.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heartbeat_gives_way_to_a_newer_one() {
    let (database, receiver) = (Database::sqlite(), Receiver::new("one"));
    let heart =
        Rule { repeat: Duration::from_secs(STEP), ..Rule::new("Watchdog", statim::alert::Condition::Always) };
    let mut bench = Bench::open(&database, setup(vec![heart], sinks(&[&receiver]))).await;
    bench.step(&[]).await;
    bench.sent().await;
    receiver.always(Answer::Status(503, None));
    for _ in 0..6 {
        bench.step(&[]).await;
    }
    until(|| bench.service.waiting() == 1).await;
    receiver.always(Answer::Take);
    bench.sent().await;
    assert_eq!(receiver.told(), ["fired :firing", "heartbeat :firing"]);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_lost_its_lock_without_noticing_sends_nothing() {
    let database = Database::postgres();
    let (old, new) = (Receiver::new("one"), Receiver::new("one"));
    let mut first = Bench::open(&database, setup(vec![rule()], sinks(&[&old]))).await;
    old.always(Answer::Status(503, None));
    first.step(&[("a", 20.0)]).await;
    until(|| old.asked().len() > 1).await;
    // The server drops the session that holds the lock, as after a network that was cut.
    let store = database.store().await;
    let mut writer = store.write_alone().await.unwrap();
    let ended: Vec<i32> = sqlx::query_scalar(
        "SELECT CASE WHEN pg_terminate_backend(pid) THEN 1 ELSE 0 END FROM pg_locks
         WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .fetch_all(&mut *writer)
    .await
    .unwrap();
    assert_eq!(ended, [1]);
    drop(writer);
    let mut second = Bench::open(&database, setup(vec![rule()], sinks(&[&new]))).await.from(first.second);
    for _ in 0..100 {
        // The server takes a moment to see the session off.
        if second.service.tick_at(Bench::at(second.second)).await.unwrap().leads {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    second.step(&[("a", 20.0)]).await;
    second.sent().await;
    old.always(Answer::Take);
    until(|| !first.service.leads()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((old.told().len(), new.told()), (0, vec!["fired a:firing".to_owned()]));
    assert!(!first.service.tick_at(Bench::at(100)).await.unwrap().leads);
    second.close().await;
    first.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_down_nothing_is_sent_and_afterwards_it_goes_on() {
    let mut postgres = tokio::task::spawn_blocking(statim_servers::Postgres::start).await.unwrap().unwrap();
    let store_options = statim::store::StoreOptions {
        acquire_timeout: Duration::from_secs(2),
        ..statim::store::StoreOptions::default()
    };
    let store =
        statim::store::Store::open_with(&postgres.database("alerts").unwrap(), store_options).await.unwrap();
    let receiver = Receiver::new("one");
    let options = ServiceOptions { save_timeout: Duration::from_secs(2), ..options() };
    let setup = setup(vec![rule()], sinks(&[&receiver]));
    let service = statim::alert::service::AlertService::open(&store, setup, options).await.unwrap();
    let show = |value: f64, second: u64| {
        let labels = statim::alert::Labels::new([("agent", "a")]).unwrap();
        service.observe_value(crate::bench::METRIC, &labels, value, Bench::at(second));
    };
    show(1.0, 10);
    assert!(service.tick_at(Bench::at(10)).await.unwrap().leads);
    postgres.kill().unwrap();
    show(20.0, 20);
    assert!(service.tick_at(Bench::at(20)).await.is_err());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(receiver.asked().is_empty());
    postgres.start_again().unwrap();
    let mut second = 30;
    loop {
        show(20.0, second);
        if service.tick_at(Bench::at(second)).await.is_ok_and(|it| it.leads) {
            break;
        }
        assert!(second < 1_000, "it does not go on");
        second += STEP;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    show(1.0, second + STEP);
    until(|| service.waiting() == 0).await;
    service.tick_at(Bench::at(second + STEP)).await.unwrap();
    until(|| service.waiting() == 0).await;
    assert_eq!(receiver.told(), ["fired a:firing", "resolved a:resolved"]);
    assert_eq!(receiver.repetitions(), 0);
    service.close().await;
    store.close().await;
}
