//! What cannot be handled becomes a letter in the store, and can be requeued.

use std::time::{Duration, SystemTime};

use statim::delivery::{LetterFilter, LetterStatus, LetterStore, NewLetter, StoredLetter};
use statim::prelude::*;

use crate::bench_of_databases::{Database, on_both};
use crate::ward::{Hospital, Journal, Note, Plan, entry, until};

async fn letters(store: &LetterStore) -> Vec<StoredLetter> {
    store.list(&LetterFilter::default(), 0, 100).await.unwrap()
}

on_both! {
    async fn a_message_that_fails_is_tried_again_and_then_becomes_a_letter(database: Database) {
        let store = database.store().await;
        let hospital = Hospital::open(&store, Plan { attempts: 3, ..Plan::default() }).await;
        hospital.ward.tell(Note::Trouble { number: 1, failures: 2 }).await.unwrap();
        hospital.ward.tell(Note::Trouble { number: 2, failures: 9 }).await.unwrap();
        hospital.settled().await;
        assert_eq!(hospital.journal.seen(), [Note::Trouble { number: 1, failures: 2 }]);
        let store = LetterStore::open(&store).await.unwrap();
        let found = letters(&store).await;
        assert_eq!(found.len(), 1);
        let StoredLetter { id, status, letter } = &found[0];
        assert_eq!(*status, LetterStatus::Parked);
        assert_eq!((letter.agent.as_str(), letter.kind.as_str()), ("ward", "trouble"));
        assert_eq!((letter.priority.as_str(), letter.reason.as_str(), letter.attempts), ("normal", "poisoned", 3));
        let body = store.show(*id).await.unwrap().unwrap().letter.body.unwrap();
        assert!(!body.is_empty());
        assert_eq!(hospital.stored().await, 0, "it left the outbox in the same transaction");
        hospital.close().await;
    }
}

on_both! {
    async fn a_requeued_letter_is_delivered_while_its_agent_runs(database: Database) {
        let store = database.store().await;
        let hospital = Hospital::open(&store, Plan { attempts: 2, ..Plan::default() }).await;
        hospital.ward.tell(Note::Trouble { number: 1, failures: 3 }).await.unwrap();
        hospital.settled().await;
        let letters_store = LetterStore::open(&store).await.unwrap();
        assert_eq!(letters_store.requeue(&LetterFilter::default()).await.unwrap(), 1);
        until(|| !hospital.journal.seen().is_empty()).await;
        hospital.settled().await;
        let found = letters(&letters_store).await;
        assert_eq!(found[0].status, LetterStatus::Done);
        assert_eq!(letters_store.show(found[0].id).await.unwrap().unwrap().letter.body, None);
        hospital.close().await;
    }
}

on_both! {
    async fn a_letter_requeued_while_nobody_runs_is_delivered_at_the_next_start(database: Database) {
        let store = database.store().await;
        let journal = Journal::default();
        let first = Hospital::open(&store, Plan { journal: journal.clone(), ..Plan::default() }).await;
        first.ward.tell(Note::Trouble { number: 1, failures: 1 }).await.unwrap();
        first.settled().await;
        first.close().await;
        let letters_store = LetterStore::open(&store).await.unwrap();
        assert_eq!(letters_store.requeue(&LetterFilter::default()).await.unwrap(), 1);
        let second = Hospital::open(&store, Plan { journal: journal.clone(), ..Plan::default() }).await;
        until(|| !journal.seen().is_empty()).await;
        second.settled().await;
        second.close().await;
        assert_eq!(journal.seen(), [Note::Trouble { number: 1, failures: 1 }]);
    }
}

on_both! {
    async fn a_lapsed_message_becomes_a_letter_also_across_a_restart(database: Database) {
        let store = database.store().await;
        let journal = Journal::default();
        let plan = Plan { paused: true, journal: journal.clone(), ..Plan::default() };
        let first = Hospital::open(&store, plan.clone()).await;
        first.ward.tell(entry(1)).deadline(Duration::from_millis(50)).await.unwrap();
        first.ward.tell(entry(2)).deadline(Duration::from_secs(600)).await.unwrap();
        first.agent.stop_now().unwrap();
        first.close().await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        let second = Hospital::open(&store, Plan { paused: false, ..plan }).await;
        second.settled().await;
        assert_eq!(journal.numbers(), [2]);
        let found = letters(&LetterStore::open(&store).await.unwrap()).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].letter.reason, "expired");
        second.close().await;
    }
}

on_both! {
    async fn a_purge_reaches_what_is_stored_in_memory_and_queued_and_keeps_no_body(database: Database) {
        let store = database.store().await;
        let outbox = statim::delivery::OutboxOptions { window: 4, ..Default::default() };
        let hospital = Hospital::open(&store, Plan { capacity: 4, paused: true, outbox, ..Plan::default() }).await;
        for number in 0..70 {
            hospital.ward.tell(entry(number)).await.unwrap();
        }
        // Every seventh entry is this patient's.
        let purged = hospital.ward.purge(Key::of("patient-3")).await.unwrap();
        hospital.agent.resume().unwrap();
        hospital.settled().await;
        let numbers = hospital.journal.numbers();
        assert_eq!(numbers, (0..70).filter(|number| number % 7 != 3).collect::<Vec<_>>());
        assert_eq!(purged, 10);
        let letters_store = LetterStore::open(&store).await.unwrap();
        let found = letters(&letters_store).await;
        assert_eq!(found.len(), 10);
        for StoredLetter { id, letter, .. } in found {
            assert_eq!(letter.reason, "purged");
            assert_eq!(letters_store.show(id).await.unwrap().unwrap().letter.body, None);
        }
        assert_eq!(hospital.stored().await, 0);
        hospital.close().await;
    }
}

on_both! {
    async fn a_stored_message_that_cannot_be_read_becomes_a_letter_and_stops_nobody(database: Database) {
        let store = database.store().await;
        let journal = Journal::default();
        let plan = Plan { paused: true, journal: journal.clone(), ..Plan::default() };
        let first = Hospital::open(&store, plan.clone()).await;
        first.ward.tell(entry(1)).await.unwrap();
        first.ward.tell(entry(2)).await.unwrap();
        first.agent.stop_now().unwrap();
        first.close().await;
        let mut work = store.write().await.unwrap();
        sqlx::query("UPDATE outbox_messages SET body = $1 WHERE id = (SELECT MIN(id) FROM outbox_messages)")
            .bind(vec![0xc1_u8; 9])
            .execute(&mut *work)
            .await
            .unwrap();
        work.commit().await.unwrap();
        let second = Hospital::open(&store, Plan { paused: false, ..plan }).await;
        second.settled().await;
        assert_eq!(journal.numbers(), [2]);
        let letters_store = LetterStore::open(&store).await.unwrap();
        let found = letters(&letters_store).await;
        assert_eq!(found[0].letter.reason, "undecodable");
        assert_eq!(letters_store.show(found[0].id).await.unwrap().unwrap().letter.body, Some(vec![0xc1; 9]));
        second.close().await;
    }
}

on_both! {
    async fn a_letter_is_listed_shown_requeued_lent_and_finished(database: Database) {
        let letters_store = LetterStore::open(&database.store().await).await.unwrap();
        let day = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let letter = |agent: &str, at: SystemTime, body: Option<&[u8]>| NewLetter {
            at,
            agent: agent.to_owned(),
            kind: "import".to_owned(),
            priority: "low".to_owned(),
            reason: "poisoned".to_owned(),
            attempts: 3,
            age: Duration::from_millis(1_500),
            body: body.map(<[u8]>::to_vec),
        };
        let first = letter("consent", day, Some(b"\x00patient"));
        let later = day + Duration::from_secs(31 * 86_400);
        let three = vec![first.clone(), letter("dedupe", day, None), letter("consent", later, Some(b"two"))];
        letters_store.insert(three).await.unwrap();
        let shown = letters_store.show(1).await.unwrap().unwrap();
        assert_eq!((shown.status, &shown.letter), (LetterStatus::Parked, &first));
        assert!(!format!("{shown:?}").contains("patient"));
        let all = LetterFilter::default();
        assert_eq!(letters_store.list(&all, 1, 10).await.unwrap().len(), 2);
        assert_eq!(letters_store.requeue(&all).await.unwrap(), 2, "the one without a body stays");
        let lease = Duration::from_secs(60);
        let lend = async |limit, now| letters_store.take_requeued("consent", limit, now, lease).await.unwrap();
        let lent = lend(1, day).await;
        assert_eq!((lent[0].id, lent[0].letter.body.as_deref()), (1, Some(&b"\x00patient"[..])));
        assert_eq!(lend(9, day).await[0].id, 3);
        assert!(lend(9, day).await.is_empty());
        assert_eq!(letters_store.finish(&[3]).await.unwrap(), 1);
        // The first was never finished: it is lent again after its lease.
        assert_eq!(lend(9, day + lease).await.iter().map(|it| it.id).collect::<Vec<_>>(), [1]);
        let done = LetterFilter { status: Some(LetterStatus::Done), ..LetterFilter::default() };
        assert_eq!(letters_store.list(&done, 0, 10).await.unwrap()[0].id, 3);
        let old = LetterFilter {
            before: Some(day + lease),
            agent: Some("dedupe".to_owned()),
            ..LetterFilter::default()
        };
        assert_eq!(letters_store.purge(&old).await.unwrap(), 1);
        let some = LetterFilter { ids: Some(vec![1, 3, 77]), ..all };
        assert_eq!(letters_store.purge(&some).await.unwrap(), 2);
        assert_eq!(letters_store.show(1).await.unwrap(), None);
    }
}
