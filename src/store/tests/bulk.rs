//! Many rows to a statement.

use super::*;

on_both! {
    a_bulk_insert_takes_any_number_of_rows,
    a_bulk_insert_can_pass_over_what_is_there,
    a_bulk_update_sets_and_adds_and_leaves_the_rest_alone,
    changes_of_one_row_are_all_made_in_their_order,
    text_keys_are_ordered_by_their_bytes,
}

const PEOPLE: &[Migration] = &[Migration {
    version: 1,
    name: "people",
    sqlite: "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, visits INTEGER NOT NULL DEFAULT 0);
             CREATE TABLE codes (code TEXT PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0)",
    postgres: "CREATE TABLE people (id BIGINT PRIMARY KEY, name TEXT, visits BIGINT NOT NULL DEFAULT 0);
               CREATE TABLE codes (code TEXT PRIMARY KEY, n BIGINT NOT NULL DEFAULT 0)",
}];

async fn people(place: &Place, count: i64) -> Store {
    let store = place.open().await;
    store.migrate("people", PEOPLE).await.expect("migrates");
    let mut writer = store.write().await.expect("a turn");
    let rows: Vec<i64> = (0..count).collect();
    let inserted = BulkInsert::new("people", &["id", "name"])
        .execute(&mut writer, rows, |row, id| {
            row.push_bind(id).push_bind(format!("person {id}"));
        })
        .await
        .expect("inserts");
    assert_eq!(inserted, count.unsigned_abs());
    writer.commit().await.expect("commits");
    store
}

async fn one(store: &Store, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&mut *store.read().await.expect("a reader")).await.expect("reads")
}

async fn a_bulk_insert_takes_any_number_of_rows(place: Place) {
    // More parameters than either database allows in one statement.
    let store = people(&place, 33_333).await;
    assert_eq!(one(&store, "SELECT count(DISTINCT name) FROM people").await, 33_333);
    assert_eq!(one(&store, "SELECT CAST(sum(id) AS BIGINT) FROM people").await, 33_332 * 33_333 / 2);
    let statements = store.stats().statements[&StatementClass::Insert].count;
    assert!(statements < 60, "{statements} statements");
    let mut writer = store.write().await.expect("a turn");
    let none: [i64; 0] = [];
    let inserted = BulkInsert::new("people", &["id"]).execute(&mut writer, none, |row, id| {
        row.push_bind(id);
    });
    assert_eq!(inserted.await.expect("nothing to do"), 0);
}

async fn a_bulk_insert_can_pass_over_what_is_there(place: Place) {
    let store = people(&place, 10).await;
    let mut writer = store.write().await.expect("a turn");
    let inserted = BulkInsert::new("people", &["id"])
        .or("ON CONFLICT DO NOTHING")
        .execute(&mut writer, (5..20_i64).collect::<Vec<_>>(), |row, id| {
            row.push_bind(id);
        })
        .await
        .expect("inserts");
    writer.commit().await.expect("commits");
    assert_eq!(inserted, 10);
    assert_eq!(one(&store, "SELECT count(*) FROM people").await, 20);
}

async fn a_bulk_update_sets_and_adds_and_leaves_the_rest_alone(place: Place) {
    let store = people(&place, 3_000).await;
    let mut writer = store.write().await.expect("a turn");
    // Backwards, with a key that is not there.
    let rows: Vec<(i64, i64)> = (1_000..=3_000).rev().map(|id| (id, id * 10)).collect();
    let changed = BulkUpdate::new("people", "id")
        .add("visits")
        .set("name")
        .execute(&mut writer, rows, |row, visits| {
            row.push_bind(visits).push_bind("seen");
        })
        .await
        .expect("updates");
    writer.commit().await.expect("commits");
    assert_eq!(changed, 2_000);
    assert_eq!(
        one(&store, "SELECT count(*) FROM people WHERE name = 'seen' AND visits = id * 10").await,
        2_000
    );
    assert_eq!(one(&store, "SELECT count(*) FROM people WHERE name <> 'seen' AND visits = 0").await, 1_000);
}

async fn changes_of_one_row_are_all_made_in_their_order(place: Place) {
    let store = people(&place, 3).await;
    let mut writer = store.write().await.expect("a turn");
    let rows = vec![(1_i64, "a"), (2, "b"), (1, "c"), (0, "d"), (1, "e")];
    let changed = BulkUpdate::new("people", "id")
        .set("name")
        .add("visits")
        .execute(&mut writer, rows, |row, name| {
            row.push_bind(name).push_bind(1_i64);
        })
        .await
        .expect("updates");
    writer.commit().await.expect("commits");
    assert_eq!(changed, 5);
    assert_eq!(one(&store, "SELECT visits FROM people WHERE id = 1 AND name = 'e'").await, 3);
}

async fn text_keys_are_ordered_by_their_bytes(place: Place) {
    let store = people(&place, 0).await;
    let codes = ["b", "B", "a", "é", "Z", "aa", "_"].map(str::to_owned);
    let mut writer = store.write().await.expect("a turn");
    BulkInsert::new("codes", &["code"])
        .execute(&mut writer, codes.clone(), |row, code| {
            row.push_bind(code);
        })
        .await
        .expect("inserts");
    let changed = BulkUpdate::new("codes", "code")
        .add("n")
        .execute(&mut writer, codes.into_iter().map(|it| (it, 1_i64)).collect(), |row, n| {
            row.push_bind(n);
        })
        .await
        .expect("updates");
    assert_eq!(changed, 7);
    writer.commit().await.expect("commits");
}
