//! A crowd of ractor actors.

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use crate::crowd::{After, Crowd, Member, Note};
use crate::systems::ractor::Ractor;
use crate::{Ask, Fault};

/// What a member receives.
#[derive(Debug)]
pub enum Post {
    /// No answer wanted.
    Note(Note<Ractor>),
    /// An answer wanted, over this port.
    Ask(Ask, RpcReplyPort<u64>),
}

impl Crowd for Ractor {
    type Ref = ActorRef<Post>;
    type Here = ();

    async fn start((): &(), member: Member<Self>) -> Result<Self::Ref, Fault> {
        let (actor, _) = Actor::spawn(None, Host, member).await.map_err(Fault::start)?;
        Ok(actor)
    }

    async fn tell(to: &Self::Ref, note: Note<Self>) -> Result<(), Fault> {
        to.cast(Post::Note(note)).map_err(Fault::gone)
    }

    async fn ask(to: &Self::Ref, ask: Ask) -> Result<u64, Fault> {
        ractor::call!(to, |reply| Post::Ask(ask, reply)).map_err(Fault::gone)
    }
}

/// A member as a ractor actor, whose state it is.
#[derive(Debug)]
struct Host;

impl Actor for Host {
    type Msg = Post;
    type State = Member<Ractor>;
    type Arguments = Member<Ractor>;

    async fn pre_start(
        &self,
        _: ActorRef<Post>,
        member: Member<Ractor>,
    ) -> Result<Member<Ractor>, ActorProcessingErr> {
        Ok(member)
    }

    async fn handle(
        &self,
        myself: ActorRef<Post>,
        post: Post,
        member: &mut Member<Ractor>,
    ) -> Result<(), ActorProcessingErr> {
        match post {
            Post::Note(note) => {
                if member.handle(note, &()).await == After::End {
                    myself.stop(None);
                }
            }
            Post::Ask(ask, reply) => reply.send(member.answer(ask))?,
        }
        Ok(())
    }
}
