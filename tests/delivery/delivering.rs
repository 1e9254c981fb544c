//! Stored, delivered, forgotten; and again after a restart.

use std::time::Duration;

use statim::delivery::{BindError, Outbox, OutboxOptions, SendError};
use statim::prelude::*;

use crate::bench_of_databases::{Database, on_both};
use crate::ward::{Hospital, Journal, Note, Plan, count, entry, until};

on_both! {
    async fn a_message_is_delivered_and_then_forgotten(database: Database) {
        let store = database.store().await;
        let hospital = Hospital::open(&store, Plan::default()).await;
        for number in 0..100 {
            hospital.ward.tell(entry(number)).await.unwrap();
        }
        hospital.settled().await;
        assert_eq!(hospital.journal.numbers(), (0..100).collect::<Vec<_>>());
        assert_eq!(hospital.stored().await, 0);
        let stats = hospital.outbox.stats();
        assert_eq!((stats.stored, stats.duplicates, stats.failed_commits), (100, 0, 0));
        assert_eq!((stats.agents[0].pending, stats.agents[0].handled), (0, 100));
        hospital.close().await;
    }
}

on_both! {
    async fn a_send_that_returned_is_in_the_database_before_anybody_handles_it(database: Database) {
        let store = database.store().await;
        let hospital = Hospital::open(&store, Plan { paused: true, ..Plan::default() }).await;
        hospital.ward.tell(entry(1)).await.unwrap();
        let other = database.store().await;
        assert_eq!(count(&other, "SELECT COUNT(*) FROM outbox_messages").await, 1);
        assert_eq!(hospital.ward.pending(), 1);
        hospital.close().await;
    }
}

on_both! {
    async fn what_was_not_handled_is_delivered_after_a_restart_urgent_first_and_in_order(database: Database) {
        let store = database.store().await;
        let journal = Journal::default();
        let first = Hospital::open(&store, Plan { paused: true, journal: journal.clone(), ..Plan::default() }).await;
        for number in 0..50 {
            first.ward.tell(entry(number)).await.unwrap();
        }
        first.ward.tell(Note::Alarm { number: 1_000 }).await.unwrap();
        // Undeliverable to the runtime, and no dead letter: it is stored.
        let report_of_dead = first.runtime.dead_letters().len();
        first.agent.stop_now().unwrap();
        first.close().await;
        assert_eq!(report_of_dead, 0);
        assert!(journal.seen().is_empty());

        let plan = Plan { paused: true, journal: journal.clone(), ..Plan::default() };
        let second = Hospital::open(&store, plan).await;
        assert_eq!(second.ward.pending(), 51);
        second.ward.tell(entry(50)).await.unwrap();
        until(|| second.agent.depth() == 52).await;
        second.agent.resume().unwrap();
        second.settled().await;
        let mut expected = vec![1_000];
        expected.extend(0..=50);
        assert_eq!(journal.numbers(), expected);
        assert_eq!(journal.redelivered(), 51);
        assert_eq!(second.outbox.stats().redelivered, 51);
        assert_eq!(second.stored().await, 0);
        second.close().await;
    }
}

on_both! {
    async fn a_backlog_beyond_memory_is_read_back_in_order_each_message_once(database: Database) {
        let store = database.store().await;
        let outbox = OutboxOptions { window: 8, commit_messages: 16, ..OutboxOptions::default() };
        let plan = Plan { capacity: 10, paused: true, outbox, ..Plan::default() };
        let hospital = Hospital::open(&store, plan).await;
        let senders = (0..4).map(|sender| {
            let ward = hospital.ward.clone();
            tokio::spawn(async move {
                for number in 0..100 {
                    ward.tell(entry(sender * 1_000 + number)).await.unwrap();
                }
            })
        });
        for sender in senders.collect::<Vec<_>>() {
            sender.await.unwrap();
        }
        assert_eq!(hospital.ward.pending(), 400);
        assert!(hospital.agent.depth() <= 10, "the mailbox's bound holds");
        let in_memory = hospital.outbox.stats().agents[0].in_memory;
        assert!(in_memory <= 4 * 8, "{in_memory} messages are in memory and the window is 8");
        hospital.agent.resume().unwrap();
        hospital.settled().await;
        let numbers = hospital.journal.numbers();
        assert_eq!(numbers.len(), 400);
        for sender in 0..4 {
            let of_sender: Vec<u32> = numbers.iter().copied().filter(|number| number / 1_000 == sender).collect();
            assert_eq!(of_sender, (sender * 1_000..sender * 1_000 + 100).collect::<Vec<_>>());
        }
        hospital.close().await;
    }
}

on_both! {
    async fn an_alarm_overtakes_a_stored_backlog_that_waits_for_room(database: Database) {
        let store = database.store().await;
        let outbox = OutboxOptions { window: 4, ..OutboxOptions::default() };
        let plan = Plan { capacity: 10, pace: Duration::from_millis(10), paused: true, outbox, ..Plan::default() };
        let hospital = Hospital::open(&store, plan).await;
        let sends = (0..60).map(|number| hospital.ward.tell(entry(number)).into_future());
        futures_util::future::join_all(sends).await.into_iter().for_each(|sent| sent.unwrap());
        hospital.agent.resume().unwrap();
        let before = hospital.journal.seen().len();
        hospital.ward.tell(Note::Alarm { number: 1_000 }).await.unwrap();
        hospital.settled().await;
        let place = hospital.journal.numbers().iter().position(|number| *number == 1_000).unwrap();
        assert!(before < 5, "the backlog was there when the alarm was sent");
        // Committing it takes as long as a few entries.
        assert!(place <= before + 20, "the alarm was handled {place}th, sent after {before}");
        hospital.close().await;
    }
}

on_both! {
    async fn a_second_message_under_one_idempotency_key_is_not_stored(database: Database) {
        let store = database.store().await;
        let journal = Journal::default();
        let first = Hospital::open(&store, Plan { journal: journal.clone(), ..Plan::default() }).await;
        first.ward.tell(entry(1)).idempotency_key("key 1").await.unwrap();
        first.ward.tell(entry(1)).idempotency_key("key 1").await.unwrap();
        // Both in one commit, or in two.
        let together = (0..10).map(|_| first.ward.tell(entry(2)).idempotency_key("key 2").into_future());
        for sent in futures_util::future::join_all(together).await {
            sent.unwrap();
        }
        first.settled().await;
        assert_eq!(first.outbox.stats().duplicates, 10);
        first.close().await;

        let second = Hospital::open(&store, Plan { journal: journal.clone(), ..Plan::default() }).await;
        second.ward.tell(entry(1)).idempotency_key("key 1").await.unwrap();
        second.ward.tell(entry(3)).idempotency_key("key 3").await.unwrap();
        second.settled().await;
        assert_eq!(journal.numbers(), [1, 2, 3]);
        let mut reader = store.read().await.unwrap();
        let rows = sqlx::query("SELECT fingerprint FROM outbox_keys").fetch_all(&mut *reader).await.unwrap();
        for row in rows {
            let fingerprint: Vec<u8> = sqlx::Row::get(&row, 0);
            assert!(!fingerprint.windows(3).any(|it| it == b"key"), "the key itself is not stored");
        }
        second.close().await;
    }
}

on_both! {
    async fn what_does_not_fit_comes_back_in_the_error(database: Database) {
        let store = database.store().await;
        let outbox = OutboxOptions { pending: 3, message_bytes: 200, ..OutboxOptions::default() };
        let hospital = Hospital::open(&store, Plan { paused: true, outbox, ..Plan::default() }).await;
        let long = Note::Entry { patient: "x".repeat(300), number: 0 };
        match hospital.ward.tell(long.clone()).await {
            Err(SendError::TooLong { message, most: 200 }) => assert_eq!(message, long),
            other => panic!("{other:?}"),
        }
        match hospital.ward.tell(Note::Unwritable).await {
            Err(SendError::Unwritable(Note::Unwritable)) => {}
            other => panic!("{other:?}"),
        }
        for number in 0..3 {
            hospital.ward.tell(entry(number)).await.unwrap();
        }
        match hospital.ward.tell(entry(3)).await {
            Err(SendError::Full(message)) => assert_eq!(message, entry(3)),
            other => panic!("{other:?}"),
        }
        hospital.agent.resume().unwrap();
        hospital.settled().await;
        hospital.ward.tell(entry(3)).await.unwrap();
        hospital.settled().await;
        let ward = hospital.ward.clone();
        hospital.close().await;
        assert!(matches!(ward.tell(entry(4)).await, Err(SendError::Closed(_))));
    }
}

on_both! {
    async fn a_name_is_bound_once_and_again_after_its_agent_ended(database: Database) {
        let store = database.store().await;
        let hospital = Hospital::open(&store, Plan { paused: true, ..Plan::default() }).await;
        hospital.ward.tell(entry(1)).await.unwrap();
        let again = hospital.outbox.bind(&hospital.agent).await;
        assert!(matches!(again, Err(BindError::Taken { .. })), "{again:?}");
        hospital.agent.stop_now().unwrap();
        until(|| hospital.agent.is_closed()).await;
        let journal = hospital.journal.clone();
        struct Heir(Journal);
        impl Agent for Heir {
            type Message = Note;
            type Error = crate::ward::InTrouble;
            async fn handle(&mut self, note: Note, _: &mut Context<Self>) -> Result<(), Self::Error> {
                self.0.see(note);
                Ok(())
            }
        }
        until(|| hospital.runtime.living().is_empty()).await;
        let heir =
            hospital.runtime.spawn("ward", AgentOptions::default(), move || Heir(journal.clone())).unwrap();
        let ward = hospital.outbox.bind(&heir).await.unwrap();
        until(|| ward.pending() == 0).await;
        assert_eq!(hospital.journal.numbers(), [1]);
        hospital.close().await;
    }
}

on_both! {
    async fn what_another_process_delivers_cannot_be_bound_until_it_lets_go(database: Database) {
        let (store, other) = (database.store().await, database.store().await);
        let hospital = Hospital::open(&store, Plan { paused: true, ..Plan::default() }).await;
        hospital.ward.tell(entry(1)).await.unwrap();
        let takeover = OutboxOptions { takeover: Duration::from_millis(200), ..OutboxOptions::default() };
        let outbox = Outbox::open_with(&other, takeover).await.unwrap();
        let refused = outbox.bind(&hospital.agent).await;
        assert!(matches!(refused, Err(BindError::Taken { .. })), "{refused:?}");
        hospital.agent.stop_now().unwrap();
        let journal = hospital.journal.clone();
        hospital.close().await;
        outbox.close().await;
        let second = Hospital::open(&other, Plan { journal: journal.clone(), ..Plan::default() }).await;
        second.settled().await;
        assert_eq!(journal.numbers(), [1]);
        second.close().await;
    }
}

on_both! {
    async fn an_agent_that_sheds_cannot_be_bound(database: Database) {
        let store = database.store().await;
        let hospital = Hospital::open(&store, Plan::default()).await;
        struct Nobody;
        impl Agent for Nobody {
            type Message = Note;
            type Error = crate::ward::InTrouble;
            async fn handle(&mut self, _: Note, _: &mut Context<Self>) -> Result<(), Self::Error> {
                Ok(())
            }
        }
        let options = AgentOptions::default().overflow(Overflow::ShedLeastUrgent);
        let nobody = hospital.runtime.spawn("nobody", options, || Nobody).unwrap();
        let refused = hospital.outbox.bind(&nobody).await;
        assert!(matches!(refused, Err(BindError::Sheds { .. })), "{refused:?}");
        hospital.close().await;
    }
}

on_both! {
    async fn an_agent_that_rejects_is_offered_its_messages_again_and_in_order(database: Database) {
        let store = database.store().await;
        let outbox = Outbox::open(&store).await.unwrap();
        let runtime = Runtime::builder().start().unwrap();
        struct Slow(Journal);
        impl Agent for Slow {
            type Message = Note;
            type Error = crate::ward::InTrouble;
            async fn handle(&mut self, note: Note, _: &mut Context<Self>) -> Result<(), Self::Error> {
                tokio::time::sleep(Duration::from_millis(1)).await;
                self.0.see(note);
                Ok(())
            }
        }
        let journal = Journal::default();
        let its = journal.clone();
        let options = AgentOptions::default().capacity(4).overflow(Overflow::Reject);
        let agent = runtime.spawn("slow", options, move || Slow(its.clone())).unwrap();
        let slow = outbox.bind(&agent).await.unwrap();
        for number in 0..40 {
            slow.tell(entry(number)).await.unwrap();
        }
        until(|| slow.pending() == 0).await;
        assert_eq!(journal.numbers(), (0..40).collect::<Vec<_>>());
        runtime.shutdown().await;
        outbox.close().await;
    }
}
