//! Questions in circles: found where they are, and only there.

use std::time::Duration;

use statim::prelude::*;
use statim::testing::virtual_time;

/// Asks its own pool twice at once, or waits.
struct Twin;
enum Twins {
    AskBoth(Reply<bool>),
    Wait(Duration, Reply<bool>),
}
impl Message for Twins {}
impl Agent for Twin {
    type Message = Twins;
    type Error = std::convert::Infallible;
    async fn handle(&mut self, message: Twins, ctx: &mut Context<Self>) -> Result<(), Self::Error> {
        match message {
            Twins::Wait(time, reply) => {
                tokio::time::sleep(time).await;
                reply.send(true);
            }
            Twins::AskBoth(reply) => {
                let own = ctx.me().clone();
                let one = own.ask(|reply| Twins::Wait(Duration::from_secs(1), reply));
                let two = own.ask(|reply| Twins::Wait(Duration::from_secs(1), reply));
                let (one, two) = tokio::join!(one, two);
                reply.send(one.is_ok() && two.is_ok());
            }
        }
        Ok(())
    }
}

/// Asks the pool from an agent of its own.
struct Third(AgentRef<Twins>);
struct AskPool(Reply<bool>);
impl Message for AskPool {}
impl Agent for Third {
    type Message = AskPool;
    type Error = std::convert::Infallible;
    async fn handle(&mut self, AskPool(reply): AskPool, _: &mut Context<Self>) -> Result<(), Self::Error> {
        let answer = self.0.ask(|reply| Twins::Wait(Duration::ZERO, reply)).await;
        reply.send(answer.is_ok());
        Ok(())
    }
}

#[test]
fn looking_for_a_cycle_ends_soon_where_a_pool_asks_itself_twice_at_once() {
    let (done, finished) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        virtual_time(async |runtime| {
            let options = AgentOptions::default().pool(Pool::Shared(2));
            let pool = runtime.spawn("pool", options, || Twin).unwrap();
            let kept = pool.clone();
            let third = runtime.spawn("third", AgentOptions::default(), move || Third(kept.clone())).unwrap();
            let both = pool.ask(Twins::AskBoth);
            let other = async {
                runtime.settle().await;
                third.ask(AskPool).await
            };
            let (both, other) = tokio::join!(both, other);
            assert!(matches!((both, other), (Ok(true), Ok(true))));
            runtime.stop_and_wait("third").await;
            runtime.stop_and_wait("pool").await;
        });
        done.send(()).unwrap();
    });
    finished.recv_timeout(Duration::from_secs(10)).expect("the search ends");
}

#[test]
fn a_pool_whose_other_members_have_ended_cannot_be_asked_by_its_last() {
    struct Last;
    enum To {
        Stop,
        AskOwn(Reply<bool>),
    }
    impl Message for To {}
    impl Agent for Last {
        type Message = To;
        type Error = std::convert::Infallible;
        async fn handle(&mut self, message: To, ctx: &mut Context<Self>) -> Result<(), Self::Error> {
            match message {
                To::Stop => ctx.stop(),
                To::AskOwn(reply) => {
                    let own = ctx.me().clone();
                    let answer = own.ask(To::AskOwn).timeout(Duration::from_secs(5)).await;
                    reply.send(matches!(answer, Err(AskError::Cycle(_))));
                }
            }
            Ok(())
        }
    }
    virtual_time(async |runtime| {
        let pool = runtime.spawn("pool", AgentOptions::default().pool(Pool::Shared(2)), || Last).unwrap();
        pool.tell(To::Stop).await.unwrap();
        runtime.settle().await;
        assert!(pool.ask(To::AskOwn).await.unwrap(), "nobody else is left to answer");
        runtime.stop_and_wait("pool").await;
    });
}

#[test]
fn an_answered_question_that_is_still_held_closes_no_cycle() {
    struct Holder;
    struct Question(Option<AgentRef<Question>>, Reply<bool>);
    impl Message for Question {}
    impl Agent for Holder {
        type Message = Question;
        type Error = std::convert::Infallible;
        async fn handle(&mut self, q: Question, _: &mut Context<Self>) -> Result<(), Self::Error> {
            let Question(Some(other), reply) = q else {
                q.1.send(true);
                return Ok(());
            };
            let mut ask = std::pin::pin!(other.ask(|reply| Question(None, reply)));
            let first = ask.as_mut().await.is_ok();
            // Still holding the question that is answered, let the other one ask back.
            tokio::time::sleep(Duration::from_secs(1)).await;
            reply.send(first);
            Ok(())
        }
    }
    virtual_time(async |runtime| {
        let a = runtime.spawn("a", AgentOptions::default(), || Holder).unwrap();
        let b = runtime.spawn("b", AgentOptions::default(), || Holder).unwrap();
        let from_a = a.ask(|reply| Question(Some(b.clone()), reply));
        let from_b = async {
            runtime.advance(Duration::from_millis(100)).await;
            b.ask(|reply| Question(Some(a.clone()), reply)).await
        };
        let (from_a, from_b) = tokio::join!(from_a, from_b);
        assert!(matches!((from_a, from_b), (Ok(true), Ok(true))));
        runtime.stop_and_wait("a").await;
        runtime.stop_and_wait("b").await;
    });
}
