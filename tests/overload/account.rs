//! Every message ends once: handled, or refused for a reason that both sides counted.

use std::time::Duration;

use statim::LinkOptions;
use statim::link::LinkEnd;
use statim::prelude::*;
use statim::resilience::{AdmissionOptions, BulkheadOptions, RateLimitOptions};

use crate::load::{Job, MIX, Refusal, Run, Send, Stage, admitting, directly, run, run_over};

/// Handled and each reason make up what was sent, exactly; and the sender was told what the agent counted.
fn assert_whole(run: &Run) {
    let sent: u64 = run.sent.iter().sum();
    let dropped = |reason| run.agent.dropped.get(&reason).copied().unwrap_or_default();
    let by_the_link = run.refused(Refusal::ByTheLink);
    let handled = run.agent.handled;
    assert_eq!(handled, run.done.len() as u64);
    assert_eq!(
        sent,
        handled + run.agent.dropped.values().sum::<u64>() + by_the_link,
        "{:?}",
        run.agent.dropped
    );
    assert_eq!(dropped(Reason::Rejected), run.refused(Refusal::Full));
    assert_eq!(dropped(Reason::Overloaded), run.refused(Refusal::Overloaded));
    for refusal in [Refusal::Overloaded, Refusal::ByTheLink] {
        assert_eq!(run.refused.get(&(refusal, Priority::Critical)), None);
    }
}

const STAGES: [Stage; 3] =
    [Stage { seconds: 2, load: 1 }, Stage { seconds: 4, load: 10 }, Stage { seconds: 2, load: 2 }];

#[test]
fn with_admission_control() {
    let run = run(&STAGES, MIX, admitting());
    assert_whole(&run);
    assert!(run.refused(Refusal::Overloaded) > 20_000);
    let admission = run.agent.admission.as_ref().expect("the agent has it");
    for priority in Priority::ALL {
        let sent = run.sent[priority.lane()];
        assert_eq!(admission.shed[&priority] + admission.admitted[&priority], sent, "{priority}");
    }
    assert!(run.dead_letters.is_empty(), "who is refused has the message; it is no dead letter");
}

#[test]
fn with_a_small_mailbox_that_rejects() {
    let run = run(&STAGES, MIX, admitting().capacity(20));
    assert_whole(&run);
    assert!(run.refused(Refusal::Full) > 0 && run.refused(Refusal::Overloaded) > 0, "{:?}", run.refused);
}

#[test]
fn with_a_mailbox_that_sheds_what_it_had_accepted() {
    let options = AgentOptions::default()
        .overflow(Overflow::ShedLeastUrgent)
        .capacity(100)
        .admission(AdmissionOptions::target(Duration::from_millis(200)));
    let run = run(&STAGES, MIX, options);
    assert_whole(&run);
    assert!(run.agent.dropped[&Reason::Shed] > 0 && run.refused(Refusal::Overloaded) > 0);
    assert!(run.dead_letters.iter().all(|letter| letter.reason == Reason::Shed));
}

#[test]
fn without_admission_control() {
    let run = run(&STAGES, MIX, AgentOptions::default().overflow(Overflow::Reject).capacity(1000));
    assert_whole(&run);
    assert!(run.refused(Refusal::Full) > 10_000);
    assert!(run.agent.admission.is_none());
}

#[test]
fn behind_a_link_with_guards() {
    fn linked(agent: &AgentRef<Job>) -> Send {
        let options = LinkOptions::health_sync()
            .rate_limit(RateLimitOptions { burst: Some(50), ..RateLimitOptions::per_second(3000) })
            .bulkhead(BulkheadOptions::max_concurrent(200));
        let link = agent.guarded("load", &options).unwrap();
        Box::new(move |job| {
            link.try_tell(job).map_err(|refused| match refused.failed() {
                None => Refusal::ByTheLink,
                Some(TryTellError::Full(_)) => Refusal::Full,
                Some(TryTellError::Overloaded(_)) => Refusal::Overloaded,
                Some(TryTellError::Closed(_)) => panic!("the agent lives"),
            })
        })
    }
    let run = run_over(&STAGES, MIX, admitting(), linked);
    assert_whole(&run);
    let link = &run.links[0];
    assert_eq!(link.offered, run.sent.iter().sum::<u64>());
    assert_eq!(link.ended.values().sum::<u64>(), link.offered);
    assert_eq!(link.refused(), run.refused(Refusal::ByTheLink));
    assert_eq!(link.ended(LinkEnd::Overloaded), run.refused(Refusal::Overloaded));
    assert_eq!(link.ended(LinkEnd::Passed), run.agent.handled);
    assert_eq!(link.exempt, run.sent[0]);
    assert!(link.ended(LinkEnd::RateLimited) > 10_000, "{link:#?}");
}

#[test]
fn a_breaker_does_not_open_for_a_busy_agent() {
    fn linked(agent: &AgentRef<Job>) -> Send {
        let link = agent.guarded("load", &LinkOptions::health_sync()).unwrap();
        Box::new(move |job| {
            link.try_tell(job).map_err(|refused| match refused.failed() {
                None => Refusal::ByTheLink,
                Some(TryTellError::Full(_)) => Refusal::Full,
                Some(TryTellError::Overloaded(_)) => Refusal::Overloaded,
                Some(TryTellError::Closed(_)) => panic!("the agent lives"),
            })
        })
    }
    for overflow in [Overflow::Reject, Overflow::ShedLeastUrgent] {
        let options = AgentOptions::default().overflow(overflow).capacity(50);
        let run = run_over(&STAGES, MIX, options, linked);
        assert_whole(&run);
        assert_eq!(run.refused(Refusal::ByTheLink), 0, "{:#?}", run.links);
        let goodput = run.goodput();
        assert!(goodput.iter().all(|handled| *handled >= 900), "{goodput:?}");
    }
}

#[test]
fn a_run_is_the_same_every_time() {
    let once = run_over(&STAGES[..2], MIX, admitting(), directly);
    let again = run_over(&STAGES[..2], MIX, admitting(), directly);
    assert_eq!(once.refused, again.refused);
    assert_eq!(once.goodput(), again.goodput());
}
