//! What one actor of a crowd does.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use super::{After, Crowd, Note, Parent};
use crate::{Ask, Fault, Gate};

/// Children of each inner node of a tree.
pub const BRANCHES: u64 = 10;

/// The state of one actor.
pub struct Member<C: Crowd> {
    answered: u64,
    role: Role<C>,
}

enum Role<C: Crowd> {
    None,
    Link(C::Ref),
    Gate(Arc<Gate>),
    Branch(Box<Branch<C>>),
}

/// An inner node that waits for its children; it holds itself alive until they have reported.
struct Branch<C: Crowd> {
    _me: C::Ref,
    parent: Parent<C>,
    waiting_for: u64,
    sum: u64,
}

impl<C: Crowd> Member<C> {
    /// One that answers questions, and takes any part it is given.
    pub fn new() -> Self {
        Self { answered: 0, role: Role::None }
    }

    /// One that counts at this gate.
    pub fn at(gate: Arc<Gate>) -> Self {
        Self { answered: 0, role: Role::Gate(gate) }
    }

    /// Answers one question: the number after it.
    pub fn answer(&mut self, Ask(asked): Ask) -> u64 {
        self.answered += 1;
        asked + 1
    }

    /// Handles one note.
    #[expect(
        clippy::manual_async_fn,
        reason = "an actor starts actors of its own type: `Send` must be promised before it can be judged"
    )]
    pub fn handle(&mut self, note: Note<C>, here: &C::Here) -> impl Future<Output = After> + Send {
        async move {
            match (note, &mut self.role) {
                (Note::Link(next), role) => *role = Role::Link(next),
                (Note::Token { left: 0, gone, finish }, _) => drop(finish.send(gone)),
                (Note::Token { left, gone, finish }, Role::Link(next)) => {
                    // A token that cannot be sent is dropped, and the driver hears of that.
                    let _ = C::tell(next, Note::Token { left: left - 1, gone: gone + 1, finish }).await;
                }
                (Note::Count(value), Role::Gate(gate)) => gate.count(value),
                (Note::Grow { parent, first, leaves: 1, .. }, _) => {
                    Box::pin(parent.hear(Ok(first))).await;
                    return After::End;
                }
                (Note::Grow { me, parent, first, leaves }, role) => {
                    // Boxed: an idle actor must not have room for what only some will ever do.
                    if let Err(fault) = Box::pin(grow::<C>(here, &me, first, leaves)).await {
                        Box::pin(parent.hear(Err(fault))).await;
                        return After::End;
                    }
                    *role = Role::Branch(Box::new(Branch { _me: me, parent, waiting_for: BRANCHES, sum: 0 }));
                }
                (Note::Sum(sum), role @ Role::Branch(_)) => return Box::pin(collect(role, sum)).await,
                // A note for another part: whoever waits for its effect stalls, and the run fails.
                (Note::Token { .. } | Note::Count(_) | Note::Sum(_), _) => {}
            }
            After::Stay
        }
    }
}

impl<C: Crowd> Default for Member<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Crowd> Parent<C> {
    async fn hear(self, sum: Result<u64, Fault>) {
        match self {
            // Either end can be gone only when the run has failed already.
            Self::Member(parent) => drop(C::tell(&parent, Note::Sum(sum)).await),
            Self::Driver(driver) => drop(driver.send(sum)),
        }
    }
}

async fn grow<C: Crowd>(here: &C::Here, me: &C::Ref, first: u64, leaves: u64) -> Result<(), Fault> {
    let share = leaves / BRANCHES;
    for number in 0..BRANCHES {
        let child = C::start(here, Member::new()).await?;
        let grow = Note::Grow {
            me: child.clone(),
            parent: Parent::Member(me.clone()),
            first: first + number * share,
            leaves: share,
        };
        C::tell(&child, grow).await?;
    }
    Ok(())
}

async fn collect<C: Crowd>(role: &mut Role<C>, sum: Result<u64, Fault>) -> After {
    let Role::Branch(branch) = role else { return After::Stay };
    branch.waiting_for -= 1;
    let outcome = match sum {
        Ok(sum) => {
            branch.sum += sum;
            if branch.waiting_for > 0 {
                return After::Stay;
            }
            Ok(branch.sum)
        }
        Err(fault) => Err(fault),
    };
    if let Role::Branch(branch) = std::mem::replace(role, Role::None) {
        branch.parent.hear(outcome).await;
    }
    After::End
}

impl<C: Crowd> fmt::Debug for Member<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("answered", &self.answered).finish_non_exhaustive()
    }
}
