//! Every message given to a link is accounted for, exactly once.

use std::time::Duration;

use proptest::prelude::*;
use statim::LinkOptions;
use statim::link::LinkEnd;
use statim::prelude::*;
use statim::resilience::{Backoff, BulkheadOptions, RateLimitOptions, RetryOptions};
use statim::testing::virtual_time;

use crate::support::{Asked, Work, ms, trips_after_two, worker};

/// What a sender does next.
#[derive(Debug, Clone, Copy)]
enum Step {
    Try,
    Tell,
    TellAndLeave,
    Fail,
    Urgent,
    Ask,
    AskInVain,
    AskAndLeave,
    Purge,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Try),
        2 => Just(Step::Tell),
        1 => Just(Step::TellAndLeave),
        2 => Just(Step::Fail),
        1 => Just(Step::Urgent),
        2 => Just(Step::Ask),
        1 => Just(Step::AskInVain),
        1 => Just(Step::AskAndLeave),
        1 => Just(Step::Purge),
        2 => (1_u64..3_000).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_offered_is_what_ended(
        steps in prop::collection::vec(step(), 1..120),
        capacity in 1_usize..6,
        overflow in prop_oneof![
            Just(Overflow::Wait), Just(Overflow::Reject), Just(Overflow::ShedLeastUrgent)
        ],
        attempts in 1_u32..4,
    ) {
        virtual_time(async |runtime| {
            let options = AgentOptions::default().capacity(capacity).reserve(0).overflow(overflow);
            let (agent, _) = worker(runtime, options);
            let options = LinkOptions::default()
                .breaker(trips_after_two())
                .bulkhead(BulkheadOptions { max_concurrent: 4, max_wait: ms(20) })
                .rate_limit(RateLimitOptions { burst: Some(8), max_wait: ms(30), ..RateLimitOptions::per_second(50) })
                .timeout(ms(40))
                .retry(RetryOptions {
                    backoff: Backoff::constant(ms(10)),
                    ..RetryOptions::attempts(attempts)
                });
            let link = agent.guarded("sender", &options).unwrap();
            let (mut offered, mut passed) = (0, 0);
            for (n, step) in steps.into_iter().enumerate() {
                let n = u32::try_from(n).unwrap();
                offered += u64::from(!matches!(step, Step::Purge | Step::Wait(_)));
                let ok = match step {
                    Step::Try => link.try_tell(Work::Do(n)).is_ok(),
                    Step::Tell => link.tell(Work::About("x")).await.is_ok(),
                    Step::TellAndLeave => {
                        tokio::time::timeout(ms(5), link.tell(Work::Do(n))).await.is_ok_and(|it| it.is_ok())
                    }
                    Step::Fail => link.tell(Work::Fail).await.is_ok(),
                    Step::Urgent => link.try_tell(Work::Now(n)).is_ok(),
                    Step::Ask => link.ask(|reply| Work::Answer(ms(30), Asked(reply))).await.is_ok(),
                    Step::AskInVain => link.ask(|reply| Work::Ignore(Asked(reply))).await.is_ok(),
                    Step::AskAndLeave => {
                        let ask = link.ask(|reply| Work::Answer(ms(30), Asked(reply)));
                        tokio::time::timeout(ms(5), ask).await.is_ok_and(|it| it.is_ok())
                    }
                    Step::Purge => {
                        agent.purge(Key::of("x"));
                        false
                    }
                    Step::Wait(time) => {
                        runtime.advance(ms(time)).await;
                        false
                    }
                };
                passed += u64::from(ok);
            }
            agent.stop().unwrap();
            runtime.advance(Duration::from_secs(10)).await;
            let snapshot = link.snapshot();
            assert_eq!(snapshot.offered, offered);
            assert_eq!(snapshot.ended.values().sum::<u64>(), offered, "{snapshot:#?}");
            assert_eq!(snapshot.ended(LinkEnd::Passed), passed);
            // Every leave of the guards was given back.
            let guards = &snapshot.guards;
            let (breaker, bulkhead) = (guards.breaker.as_ref().unwrap(), guards.bulkhead.as_ref().unwrap());
            assert_eq!(bulkhead.in_use, 0);
            let calls = breaker.calls;
            let recorded = calls.succeeded + calls.failed + calls.timed_out + calls.panicked
                + calls.abandoned + calls.ignored + breaker.late;
            let refused_at_the_door = bulkhead.entered - recorded;
            // A place is taken before the breaker is asked, which may refuse then.
            assert!(refused_at_the_door <= snapshot.ended(LinkEnd::CircuitOpen) + calls.abandoned, "{guards:#?}");
        });
    }
}
