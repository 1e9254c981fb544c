//! A crowd of bare Tokio tasks.

use tokio::sync::{mpsc, oneshot};

use crate::crowd::{After, Crowd, Member, Note};
use crate::systems::tokio::Tokio;
use crate::{Ask, CAPACITY, Fault};

/// What goes over the channel.
#[derive(Debug)]
pub enum Post {
    /// No answer wanted.
    Note(Note<Tokio>),
    /// An answer wanted, over this channel.
    Ask(Ask, oneshot::Sender<u64>),
}

impl Crowd for Tokio {
    type Ref = mpsc::Sender<Post>;
    type Here = ();

    async fn start((): &(), mut member: Member<Self>) -> Result<Self::Ref, Fault> {
        let (sender, mut receiver) = mpsc::channel(CAPACITY);
        tokio::spawn(async move {
            while let Some(post) = receiver.recv().await {
                match post {
                    Post::Note(note) => {
                        if member.handle(note, &()).await == After::End {
                            break;
                        }
                    }
                    // A driver that has given up reports its own fault.
                    Post::Ask(ask, reply) => drop(reply.send(member.answer(ask))),
                }
            }
        });
        Ok(sender)
    }

    async fn tell(to: &Self::Ref, note: Note<Self>) -> Result<(), Fault> {
        to.send(Post::Note(note)).await.map_err(Fault::gone)
    }

    async fn ask(to: &Self::Ref, ask: Ask) -> Result<u64, Fault> {
        let (reply, answer) = oneshot::channel();
        to.send(Post::Ask(ask, reply)).await.map_err(Fault::gone)?;
        answer.await.map_err(Fault::gone)
    }
}
