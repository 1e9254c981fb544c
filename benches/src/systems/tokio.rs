//! A bare Tokio task behind a bounded channel, answering over one-shot channels: the limit that an actor system on
//! Tokio cannot pass, having none of an actor system's features.

use tokio::sync::{mpsc, oneshot};

use crate::{Ask, Counter, Fault, Peer, Target, Work};

/// A task, a bounded channel and one-shot answers.
#[derive(Debug)]
pub struct Tokio;

/// What goes over the channel.
#[derive(Debug)]
pub enum Message {
    /// No answer wanted.
    Work(Work),
    /// An answer wanted, over this channel.
    Ask(Ask, oneshot::Sender<u64>),
}

impl Peer for Tokio {
    const NAME: &'static str = "tokio mpsc";
    const PACKAGE: &'static str = "tokio";
    type Target = mpsc::Sender<Message>;

    async fn start(mut counter: Counter, capacity: usize) -> Result<Self::Target, Fault> {
        let (sender, mut receiver) = mpsc::channel(capacity);
        tokio::spawn(async move {
            while let Some(message) = receiver.recv().await {
                match message {
                    Message::Work(work) => counter.work(work),
                    Message::Ask(ask, reply) => {
                        // A driver that has given up reports its own fault.
                        let _ = reply.send(counter.answer(ask));
                    }
                }
            }
        });
        Ok(sender)
    }
}

impl Target for mpsc::Sender<Message> {
    async fn tell(&self, work: Work) -> Result<(), Fault> {
        self.send(Message::Work(work)).await.map_err(Fault::gone)
    }

    async fn ask(&self, ask: Ask) -> Result<u64, Fault> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Ask(ask, reply)).await.map_err(Fault::gone)?;
        answer.await.map_err(Fault::gone)
    }
}
