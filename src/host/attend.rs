//! One incarnation at work: take, handle, account, and look up in between.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;

use super::in_hand::{InHand, Lent, fail, handled};
use super::serve::{guarded, inspection};
use super::sleep;
use crate::agent::{Agent, Batch, Command, Context, Instance, Seat, Settled, Severity};
use crate::clock::Nanos;
use crate::mailbox::{Gate, NEVER, Next};
use crate::message::{Envelope, Priority, Remains};
use crate::scheduler;
use crate::sync::Arc;
use crate::telemetry::{AgentState, Handled, Sample};

/// How an incarnation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As commanded.
    Stopped,
    /// By [`Context::stop`].
    StoppedItself,
    /// To be rebuilt, as commanded.
    Restart,
    /// A panic, a failed start or a failed child.
    Failed,
}

/// An agent yields its thread after so many messages …
const SLICE_MESSAGES: u32 = 1_024;
/// … or so much time, whichever comes first. Each yield lets the arbiter's timers and the neighbours run
/// and costs a turn of its event loop, so it should be rare; a slice delays a neighbour by so much (or by
/// one handler, if that takes longer), so it should be short.
const SLICE_NANOS: u64 = 200_000;

pub(super) struct Attendance<'a, A: Agent> {
    seat: &'a Seat<A::Message>,
    /// Outlasts this incarnation.
    paused: &'a mut bool,
    draining: bool,
    slice_began: Nanos,
    slice_messages: u32,
    /// Of what was handled last.
    priority: Priority,
}

impl<'a, A: Agent> Attendance<'a, A> {
    pub(super) fn new(seat: &'a Seat<A::Message>, paused: &'a mut bool) -> Self {
        // An incarnation that begins after its mailbox was closed has only what is left to do.
        let draining = seat.cell.mailbox.is_closed();
        let slice_began = seat.cell.now();
        seat.cell.mailbox.enlist(seat.instance.consumer, &seat.instance);
        Self { seat, paused, draining, slice_began, slice_messages: 0, priority: Priority::Critical }
    }

    pub(super) async fn attend(&mut self, agent: &mut A, ctx: &mut Context<A>) -> Outcome {
        let cell = &*self.seat.cell;
        let mut now = cell.now();
        loop {
            if self.seat.instance.has_commands() || *self.paused {
                if let Some(outcome) = Box::pin(self.obey(agent)).await {
                    return outcome;
                }
                now = cell.now();
            }
            if ctx.stop_requested() {
                return Outcome::StoppedItself;
            }
            // The usual message takes the way through here and no other future, and is put where it stays: each one
            // more would copy it once more, freshly written, which costs as much as a lock.
            let mut in_hand = InHand::nothing(cell);
            let next = if self.draining {
                // Lingering batches need not wait for company that cannot come any more.
                cell.mailbox.next(Nanos(u64::MAX), in_hand.hand())
            } else {
                let instance = &self.seat.instance;
                cell.mailbox.next_or_park(now, in_hand.hand(), instance.consumer, instance)
            };
            let agent_failed = match next {
                Next::One => 'message: {
                    if let Some(reason) = in_hand.hand().lapses(now) {
                        let (priority, sent_at) = (in_hand.hand().priority, in_hand.hand().sent_at);
                        cell.waited(priority, now.since(sent_at), now);
                        in_hand.bury(reason);
                        now = cell.now();
                        break 'message false;
                    }
                    let (priority, sent_at) = (in_hand.hand().priority, in_hand.hand().sent_at);
                    self.begin(ctx, priority, in_hand.hand().failed_attempts);
                    ctx.keep(in_hand.hand().keeper());
                    let Some(message) = in_hand.lend() else { break 'message false };
                    let mut handling = pin!(AssertUnwindSafe(agent.handle(message, ctx)).catch_unwind());
                    let mut has_waited = false;
                    let handled = poll_fn(|cx| {
                        let polled = handling.as_mut().poll(cx);
                        if polled.is_pending() {
                            has_waited = true;
                            // What it waits for may come from a sender that waits for room here.
                            cell.mailbox.settle_admissions();
                        }
                        polled
                    })
                    .await;
                    let began = now;
                    now = if has_waited { self.begin_slice() } else { cell.now() };
                    let (outcome, agent_failed) = self.judge(handled.ok(), in_hand.kind());
                    let wait = began.since(sent_at);
                    self.seat.instance.figures.record(priority, wait, now.since(began), outcome);
                    cell.waited(priority, wait, now);
                    match outcome {
                        Handled::Well => in_hand.put_down(),
                        Handled::Failed => in_hand.fail(self.seat.options.max_attempts()),
                    }
                    agent_failed
                }
                Next::Batch(envelopes) => {
                    drop(in_hand);
                    Box::pin(self.handle_batch(agent, ctx, *envelopes, &mut now)).await
                }
                Next::Nothing { .. } if self.draining => return Outcome::Stopped,
                Next::Nothing { ripe_at } => {
                    drop(in_hand);
                    let at_most = (ripe_at != NEVER).then(|| Duration::from_nanos(ripe_at.since(now)));
                    sleep::until_rung(cell, &self.seat.instance, at_most).await;
                    now = self.begin_slice();
                    continue;
                }
                // More is on its way. Neighbours use the time better than we would.
                Next::TooEarly if scheduler::anyone_waits() => {
                    drop(in_hand);
                    cell.mailbox.leave_stream();
                    self.wait_for_turn(self.priority).await;
                    now = self.begin_slice();
                    continue;
                }
                Next::TooEarly => {
                    now = cell.mailbox.linger(now, &cell.commons.clock);
                    continue;
                }
            };
            if agent_failed {
                return Outcome::Failed;
            }
            if self.slice_is_over(now) {
                scheduler::spend_slice();
                self.wait_for_turn(self.priority).await;
                now = self.begin_slice();
            } else if let Some(pending) = self.makes_way() {
                self.wait_for_turn(pending).await;
                now = self.begin_slice();
            }
        }
    }

    /// What is pending, if it is less urgent than what another agent of the thread has to do, or than what
    /// this turn was given for.
    fn makes_way(&self) -> Option<Priority> {
        if !scheduler::anyone_waits() {
            return None;
        }
        let Seat { cell, instance, .. } = self.seat;
        let turn = instance.bell.turn();
        let stands_back =
            |pending| turn.is_more_urgent_than(pending) || scheduler::more_urgent_waits(pending);
        // What is at hand already may be urgent enough. To look at what senders write would fetch it from them.
        if cell.mailbox.most_urgent_ready().is_some_and(|ready| !stands_back(ready)) {
            return None;
        }
        cell.mailbox.most_urgent_pending().filter(|pending| stands_back(*pending))
    }

    async fn wait_for_turn(&self, priority: Priority) {
        let Seat { cell, instance, .. } = self.seat;
        cell.mailbox.settle_admissions();
        sleep::for_a_turn(instance, priority, || cell.mailbox.most_urgent_pending()).await;
    }

    fn begin(&mut self, ctx: &mut Context<A>, priority: Priority, failed_attempts: u16) {
        self.priority = priority;
        self.seat.instance.bell.set_pace(priority);
        ctx.begin(priority, failed_attempts);
    }

    /// Whether the agent failed.
    async fn handle_batch(
        &mut self,
        agent: &mut A,
        ctx: &mut Context<A>,
        envelopes: Vec<Envelope<A::Message>>,
        now: &mut Nanos,
    ) -> bool {
        let cell = &*self.seat.cell;
        let began = *now;
        cell.waited_together(&envelopes, began);
        let mut alive = Vec::with_capacity(envelopes.len());
        for envelope in envelopes {
            match envelope.lapse(began) {
                Some(reason) => cell.bury(envelope, reason),
                None => alive.push(envelope),
            }
        }
        let Some(first) = alive.first() else { return false };
        let (priority, attempts) = (first.priority, first.failed_attempts);
        self.begin(ctx, priority, attempts);
        ctx.keep(None);
        let mut lent = Lent::new(cell, Batch::new(alive));
        cell.mailbox.settle_admissions();
        let handled = guarded(agent.handle_batch(lent.batch(), ctx)).await;
        *now = cell.now();
        let (outcome, agent_failed) = self.judge(handled, "batch");
        let mut settled = lent.take_back();
        if settled.taken.is_empty() && settled.finished.is_empty() {
            if outcome == Handled::Well && ctx.urgent_waiting() {
                // It made way before it began.
                cell.mailbox.give_back(settled.left);
                return false;
            }
            // Nothing was even taken: handing the same batch over again could go on for ever, so the
            // failure (or the refusal) concerns all of it.
            settled.taken = settled.left.drain(..).map(Envelope::untouched).collect();
            self.settle(settled, priority, began, *now, Handled::Failed);
            return agent_failed;
        }
        self.settle(settled, priority, began, *now, outcome);
        agent_failed
    }

    fn settle(
        &mut self,
        settled: Settled<A::Message>,
        priority: Priority,
        began: Nanos,
        ended: Nanos,
        outcome: Handled,
    ) {
        let cell = &*self.seat.cell;
        let count = settled.taken.len() + settled.finished.len();
        let share = ended.since(began) / count.max(1) as u64;
        let of = |remains: &Remains<_>| sample(remains.envelope.sent_at, began, ended, share);
        let figures = &self.seat.instance.figures;
        for remains in &settled.finished {
            figures.record_shared(priority, of(remains), Handled::Well);
            handled(remains);
        }
        for remains in &settled.taken {
            figures.record_shared(priority, of(remains), outcome);
            if outcome == Handled::Well {
                handled(remains);
            }
        }
        self.slice_messages = self.slice_messages.saturating_add(count as u32);
        cell.mailbox.give_back(settled.left);
        if outcome == Handled::Failed {
            // What failed is older than what was left, so it goes in front of it, the oldest first.
            for remains in settled.taken.into_iter().rev() {
                fail(cell, remains, self.seat.options.max_attempts());
            }
        }
    }

    /// What a handler's end means for the message, and whether the agent failed with it.
    fn judge(&self, handled: Option<Result<(), A::Error>>, kind: &'static str) -> (Handled, bool) {
        let agent = &self.seat.instance.label;
        match handled {
            Some(Ok(())) => (Handled::Well, false),
            Some(Err(error)) => {
                // Judging, showing and dropping an error are a user's code too.
                let judged = catch_unwind(AssertUnwindSafe(move || {
                    let agent_failed = A::severity(&error) == Severity::Agent;
                    tracing::warn!(%agent, kind, %error, agent_failed, "a message failed");
                    agent_failed
                }));
                if judged.is_err() {
                    self.seat.cell.stats.panicked();
                    tracing::error!(%agent, kind, "a handler's error panicked");
                }
                (Handled::Failed, judged.unwrap_or(true))
            }
            None => {
                self.seat.cell.stats.panicked();
                // The panic's own words are not repeated: they may quote the message.
                tracing::error!(%agent, kind, "a handler panicked");
                (Handled::Failed, true)
            }
        }
    }

    /// Obeys commands until there are none. An outcome if one of them ends this incarnation.
    async fn obey(&mut self, agent: &mut A) -> Option<Outcome> {
        let instance: &Arc<Instance> = &self.seat.instance;
        self.seat.cell.mailbox.settle_admissions();
        loop {
            match instance.next_command() {
                Some(Command::Stop { drain: false }) => return Some(Outcome::Stopped),
                Some(Command::Stop { drain: true }) => {
                    self.draining = true;
                    *self.paused = false;
                    self.seat.cell.mailbox.set_gate(Gate::Closed);
                    instance.set_state(AgentState::Draining);
                }
                Some(Command::Restart) => return Some(Outcome::Restart),
                Some(Command::ChildFailed(child)) => {
                    tracing::error!(agent = %instance.label, %child, "a child was given up");
                    return Some(Outcome::Failed);
                }
                Some(Command::Inspect(answer)) => {
                    let state = guarded(async { agent.inspect() }).await.unwrap_or_default();
                    let _ = answer.send(inspection(instance, state));
                }
                Some(Command::Serving(answer)) => drop(answer.send(())),
                Some(Command::Leave) if self.seat.cell.may_leave(instance) => return Some(Outcome::Stopped),
                Some(Command::Pause) if !self.draining => *self.paused = true,
                Some(Command::Resume) if *self.paused => {
                    *self.paused = false;
                    instance.set_state(AgentState::Running);
                }
                Some(Command::Pause | Command::Resume | Command::Leave) => {}
                None if *self.paused => {
                    instance.set_state(AgentState::Paused);
                    self.seat.cell.mailbox.hand_over(instance.consumer);
                    sleep::for_command(instance, None).await;
                }
                None => return None,
            }
        }
    }

    fn begin_slice(&mut self) -> Nanos {
        self.slice_messages = 0;
        self.slice_began = self.seat.cell.now();
        self.slice_began
    }

    fn slice_is_over(&mut self, now: Nanos) -> bool {
        self.slice_messages += 1;
        self.slice_messages >= SLICE_MESSAGES || now.since(self.slice_began) >= SLICE_NANOS
    }
}

fn sample(sent_at: Nanos, began: Nanos, ended: Nanos, service: u64) -> Sample {
    Sample { wait: began.since(sent_at), service, end_to_end: ended.since(sent_at) }
}
