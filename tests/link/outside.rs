//! Links used from outside: plain threads, other executors, real time.

use std::time::{Duration, Instant};

use statim::prelude::*;
use statim::resilience::{Backoff, BulkheadOptions, RateLimitOptions, RetryOptions};
use statim::{LinkOptions, TellError};

use crate::support::{Work, ms, worker};

fn twenty_a_second() -> LinkOptions {
    LinkOptions::default()
        .rate_limit(RateLimitOptions { burst: Some(1), ..RateLimitOptions::per_second(20) })
        .bulkhead(BulkheadOptions { max_wait: Duration::from_secs(1), ..BulkheadOptions::default() })
        .retry(RetryOptions { backoff: Backoff::constant(ms(20)), ..RetryOptions::attempts(3) })
}

#[test]
fn a_plain_thread_waits_at_the_guards() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let (agent, _) = worker(&runtime, AgentOptions::default());
    let link = agent.guarded("thread", &twenty_a_second()).unwrap();
    let began = Instant::now();
    std::thread::spawn(move || {
        for n in 0..4 {
            link.tell_blocking(Work::Do(n)).unwrap();
        }
    })
    .join()
    .unwrap();
    assert!(began.elapsed() >= ms(140), "four messages at 20 a second took {:?}", began.elapsed());
    let report = runtime.shutdown_blocking();
    assert!(report.drained);
}

#[test]
fn an_executor_without_timers_waits_too() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let (agent, _) = worker(&runtime, AgentOptions::default());
    let link = agent.guarded("foreign", &twenty_a_second()).unwrap();
    let began = Instant::now();
    futures_util::future::FutureExt::now_or_never(link.tell(Work::Do(0))).unwrap().unwrap();
    block_on(async {
        for n in 1..4 {
            link.tell(Work::Do(n)).await.unwrap();
        }
    });
    assert!(began.elapsed() >= ms(140), "{:?}", began.elapsed());
    runtime.shutdown_blocking();
}

#[test]
fn a_link_of_a_runtime_that_has_ended_says_closed() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let (agent, _) = worker(&runtime, AgentOptions::default());
    let link = agent.guarded("late", &twenty_a_second()).unwrap();
    runtime.shutdown_blocking();
    for n in 0..3 {
        let closed = link.tell_blocking(Work::Do(n)).unwrap_err();
        assert!(matches!(closed.failed(), Some(TellError::Closed(Work::Do(_)))), "{closed}");
    }
}

#[test]
fn an_agent_can_hold_a_link() {
    struct Sender(statim::Link<Work>);
    struct Go(u32, Reply<bool>);
    impl Message for Go {}
    impl Agent for Sender {
        type Message = Go;
        type Error = std::convert::Infallible;
        async fn handle(&mut self, Go(n, reply): Go, _: &mut Context<Self>) -> Result<(), Self::Error> {
            reply.send(self.0.tell(Work::Do(n)).await.is_ok());
            Ok(())
        }
    }
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let (agent, _) = worker(&runtime, AgentOptions::default());
    let link = agent.guarded("sender", &twenty_a_second()).unwrap();
    let sender = runtime.spawn("sender", AgentOptions::default(), move || Sender(link.clone())).unwrap();
    let began = Instant::now();
    runtime.block_on(async {
        for n in 0..4 {
            assert!(sender.ask(|reply| Go(n, reply)).await.unwrap());
        }
    });
    assert!(began.elapsed() >= ms(140), "{:?}", began.elapsed());
    runtime.shutdown_blocking();
}

/// An executor that knows nothing of Tokio.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::task::Waker::from(std::sync::Arc::new(Unpark(std::thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(output) =
            future.as_mut().poll(&mut std::task::Context::from_waker(&waker))
        {
            return output;
        }
        std::thread::park();
    }
}
