//! Effects and messages in one transaction.

use statim::delivery::{OutboxOptions, SettleError};
use statim::prelude::*;

use crate::bench_of_databases::{Database, on_both};
use crate::ward::{Hospital, Note, Plan, entry, until};

on_both! {
    async fn an_effect_committed_with_its_message_is_made_once_even_if_the_handler_fails_after(database: Database) {
        let store = database.store().await;
        let hospital = Hospital::open(&store, Plan { attempts: 5, ..Plan::default() }).await;
        for number in 0..4 {
            hospital.ward.tell(Note::EffectAndPanic { number }).await.unwrap();
            hospital.ward.tell(Note::Effect { number: 100 + number }).await.unwrap();
        }
        hospital.settled().await;
        assert_eq!(hospital.effects().await, 8);
        assert_eq!(hospital.journal.seen().len(), 8, "none was handled twice");
        assert_eq!(hospital.stored().await, 0);
        hospital.close().await;
    }
}

on_both! {
    async fn a_message_is_settled_by_one_transaction_only(database: Database) {
        let store = database.store().await;
        let hospital = Hospital::open(&store, Plan::default()).await;
        let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
        struct Twice(statim::delivery::Outbox, tokio::sync::mpsc::UnboundedSender<[bool; 3]>);
        impl Agent for Twice {
            type Message = Note;
            type Error = crate::ward::InTrouble;
            async fn handle(&mut self, _: Note, ctx: &mut Context<Self>) -> Result<(), Self::Error> {
                let receipt = ctx.receipt().unwrap();
                // Undone, so it does not count.
                let mut undone = self.0.begin().await.unwrap();
                let first = receipt.settle_in(&mut undone).await.is_ok();
                drop(undone);
                let mut work = self.0.begin().await.unwrap();
                let second = receipt.settle_in(&mut work).await.is_ok();
                let third = receipt.settle_in(&mut work).await;
                work.commit().await.unwrap();
                let _ = self.1.send([first, second, matches!(third, Err(SettleError::AlreadySettled { .. }))]);
                Ok(())
            }
        }
        let outbox = hospital.outbox.clone();
        let agent = hospital
            .runtime
            .spawn("twice", AgentOptions::default(), move || Twice(outbox.clone(), send.clone()))
            .unwrap();
        let twice = hospital.outbox.bind(&agent).await.unwrap();
        twice.tell(entry(1)).await.unwrap();
        assert_eq!(receive.recv().await.unwrap(), [true, true, true]);
        until(|| twice.pending() == 0).await;
        assert!(hospital.outbox.flush().await);
        assert_eq!(hospital.stored().await, 0);
        hospital.close().await;
    }
}

on_both! {
    async fn a_message_sent_in_a_transaction_is_delivered_if_that_commits_and_only_then(database: Database) {
        let store = database.store().await;
        let hospital = Hospital::open(&store, Plan::default()).await;
        let mut undone = hospital.outbox.begin().await.unwrap();
        hospital.ward.tell_in(&mut undone, entry(1)).await.unwrap();
        drop(undone);
        let mut work = hospital.outbox.begin().await.unwrap();
        for number in 2..5 {
            hospital.ward.tell_in(&mut work, entry(number)).await.unwrap();
        }
        assert!(hospital.journal.seen().is_empty(), "nothing is delivered before the commit");
        work.commit().await.unwrap();
        hospital.settled().await;
        assert_eq!(hospital.journal.numbers(), [2, 3, 4]);
        assert_eq!(hospital.stored().await, 0);
        hospital.close().await;
    }
}

on_both! {
    async fn transactions_and_sends_mixed_beyond_memory_are_each_delivered_once(database: Database) {
        let store = database.store().await;
        let outbox = OutboxOptions { window: 4, ..OutboxOptions::default() };
        let hospital = Hospital::open(&store, Plan { capacity: 4, outbox, ..Plan::default() }).await;
        let mut tasks = Vec::new();
        for sender in 0..6_u32 {
            let (ward, outbox) = (hospital.ward.clone(), hospital.outbox.clone());
            tasks.push(tokio::spawn(async move {
                for round in 0..30 {
                    let number = sender * 1_000 + round * 3;
                    if sender % 2 == 0 {
                        for more in 0..3 {
                            ward.tell(entry(number + more)).await.unwrap();
                        }
                        continue;
                    }
                    let mut work = outbox.begin().await.unwrap();
                    for more in 0..3 {
                        ward.tell_in(&mut work, entry(number + more)).await.unwrap();
                    }
                    if round % 5 == 4 {
                        drop(work);
                        continue;
                    }
                    work.commit().await.unwrap();
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        hospital.settled().await;
        let mut numbers = hospital.journal.numbers();
        numbers.sort_unstable();
        let expected: Vec<u32> = (0..6_u32)
            .flat_map(|sender| (0..90).map(move |it| (sender, it)))
            .filter(|(sender, it)| sender % 2 == 0 || (it / 3) % 5 != 4)
            .map(|(sender, it)| sender * 1_000 + it)
            .collect();
        assert_eq!(numbers, expected);
        assert_eq!(hospital.stored().await, 0);
        hospital.close().await;
    }
}
