//! What a store says of its own work.

use super::*;

on_both! {
    statements_are_counted_by_class_and_slow_ones_are_remembered_without_values,
    stats_are_json,
}

async fn statements_are_counted_by_class_and_slow_ones_are_remembered_without_values(place: Place) {
    let options = StoreOptions { slow_statement: Duration::from_millis(30), ..StoreOptions::default() };
    let store = place.open_with(options).await;
    store.migrate("tally", TALLY).await.expect("migrates");
    add(&store, 4_711).await;
    assert!(store.stats().slow.iter().all(|it| it.class != StatementClass::Insert), "that was not slow");
    let slow = store.dialect().choose(
        "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3000000)
         SELECT count(*) + 4711 AS x FROM r WHERE 'secret' <> $1",
        "SELECT pg_sleep(0.05)::TEXT || 4711 AS x WHERE 'secret' <> $1",
    );
    let mut reader = store.read().await.expect("a reader");
    for _ in 0..2 {
        sqlx::query(slow).bind("patient-7").fetch_all(&mut *reader).await.expect("takes long");
    }
    let stats = store.stats();
    let select = stats.statements[&StatementClass::Select];
    assert!(select.slow >= 2 && select.count >= 2, "{select:?}");
    assert!(select.duration.max >= 30_000_000, "{select:?}");
    let remembered = stats.slow.iter().find(|it| it.shape.contains(" AS x")).expect("is remembered");
    assert_eq!((remembered.count, remembered.class), (2, StatementClass::Select));
    assert_eq!(remembered.fingerprint, Fingerprint::of(slow));
    for value in ["4711", "secret", "patient-7"] {
        assert!(!remembered.shape.contains(value), "{}", remembered.shape);
    }
    assert_eq!(stats.statements[&StatementClass::Insert].count, 2, "a row, and the migration's record");
    assert!(stats.statements[&StatementClass::Transaction].count >= 4);
}

async fn stats_are_json(place: Place) {
    let store = place.tally().await;
    add(&store, 1).await;
    count(&store).await;
    let stats = store.stats();
    let json = serde_json::to_value(&stats).expect("is JSON");
    assert_eq!(json["dialect"], store.dialect().choose("sqlite", "postgres"));
    assert!(json["statements"]["select"]["duration"]["p99"].as_u64().is_some_and(|it| it > 0), "{json}");
    assert_eq!(json["pool"]["in_use"], 0);
    let back: StoreStats = serde_json::from_value(json).expect("reads back");
    assert_eq!(back.pool.acquired, stats.pool.acquired);
}

#[tokio::test]
async fn what_the_caller_does_between_two_rows_is_not_the_databases_time() {
    use futures_util::TryStreamExt;
    let place = Place::sqlite();
    let store = place.tally().await;
    for n in 0..5 {
        add(&store, n).await;
    }
    let mut reader = store.read().await.expect("a reader");
    let before = store.stats().statements[&StatementClass::Select].duration.max;
    let mut rows = sqlx::query("SELECT n FROM tally").fetch(&mut *reader);
    while rows.try_next().await.expect("reads").is_some() {
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(rows);
    let after = store.stats().statements[&StatementClass::Select].duration.max;
    assert!(after < before.max(100_000_000), "{after} ns");
}
