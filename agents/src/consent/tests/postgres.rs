//! The ledger on PostgreSQL: the same promises, of another database.

use statim::store::Store;

use super::*;

async fn store() -> Store {
    let url = statim_servers::database("consent").expect("a private PostgreSQL");
    Store::open(&url).await.expect("opens")
}

fn provisions(count: usize) -> impl Iterator<Item = Provision> {
    (0..count).map(|n| provision(&format!("p{n}"), r#""effect":"permit","purposes":["research"]"#))
}

#[tokio::test]
async fn the_ledger_rebuilds_the_book_it_was_written_from() {
    let store = store().await;
    let ledger = Ledger::open(&store).await.expect("opens");
    let mut book = ledger.rebuild().await.expect("empty");
    let mut events = ledger.import(provisions(150), now()).await.expect("imports");
    events.push(
        ledger.revoke(patient(), Some("p3".into()), now(), Actor::new("nurse")).await.expect("revokes"),
    );
    for event in &events {
        book.apply(event);
    }
    let ask = request("org:a", "research", "laboratory");
    let decision = book.decide(&ask, now());
    let head = ledger.record_decisions((0..100).map(|_| (ask.clone(), decision.clone()))).await;
    let head = head.expect("records");
    assert_eq!(head.seq, 251);

    let again = Ledger::open(&store).await.expect("opens");
    assert_eq!(again.head().await.expect("reads"), head);
    assert_eq!(again.verify().await.expect("reads"), Verification::Intact(head));
    let rebuilt = again.rebuild().await.expect("rebuilds");
    assert_eq!(answer(&rebuilt, &ask), answer(&book, &ask));
    assert_eq!(again.history(&patient(), 1_000).await.expect("reads").len(), 251);
}

#[tokio::test]
async fn the_table_refuses_update_delete_truncate_and_gaps() {
    let store = store().await;
    let ledger = Ledger::open(&store).await.expect("opens");
    ledger.revoke(patient(), None, now(), Actor::Unresolved).await.expect("revokes");
    for statement in [
        "UPDATE consent_events SET at = 0",
        "DELETE FROM consent_events",
        "TRUNCATE consent_events",
        "INSERT INTO consent_events SELECT seq + 5, patient, kind, provision, at, body, prev_hash, hash FROM consent_events",
        "INSERT INTO consent_events SELECT seq, patient, kind, provision, at, body, prev_hash, hash FROM consent_events
         ON CONFLICT (seq) DO UPDATE SET at = 0",
    ] {
        let mut writer = store.write().await.expect("a turn");
        let refused = sqlx::query(statement).execute(&mut *writer).await.expect_err("append-only").to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
}

#[tokio::test]
async fn the_first_event_that_was_tampered_with_is_named() {
    let store = store().await;
    let ledger = Ledger::open(&store).await.expect("opens");
    ledger.import(provisions(10), now()).await.expect("imports");
    let mut writer = store.write().await.expect("a turn");
    let tampering = "DROP TRIGGER consent_events_no_update ON consent_events;
        UPDATE consent_events SET body = replace(body, 'p4', 'p9') WHERE seq = 5";
    sqlx::raw_sql(tampering).execute(&mut *writer).await.expect("tampers");
    writer.commit().await.expect("commits");
    let broken = Verification::Broken { seq: 5, fault: ChainFault::Changed };
    assert_eq!(ledger.verify().await.expect("reads"), broken);
}

#[tokio::test]
async fn several_that_append_at_once_make_one_chain() {
    let store = store().await;
    let first = Ledger::open(&store).await.expect("opens");
    let append = |count: usize| {
        let store = store.clone();
        async move {
            // With a memory of its own, as another process has.
            let ledger = Ledger::open(&store).await.expect("opens");
            for _ in 0..10 {
                ledger.import(provisions(count), now()).await.expect("imports");
            }
        }
    };
    tokio::join!(append(1), append(4), append(1), append(7));
    let head = first.head().await.expect("reads");
    assert_eq!(head.seq, 10 * (1 + 4 + 1 + 7));
    assert_eq!(first.verify().await.expect("reads"), Verification::Intact(head));
}
