//! One actix actor for each agent instance: it hosts the agent's loop and is its control plane.

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Handler, fut::wrap_future};
use actix_rt::Arbiter;

use super::serve::{Departure, serve};
use crate::agent::{Agent, Command, Instance, Seat, current};
use crate::sync::Arc;

/// Starts an instance in its seat, on the arbiter that the seat names.
pub(crate) fn seat<A: Agent>(seat: Seat<A::Message>, factory: Arc<dyn Fn() -> A + Send + Sync>) {
    let instance = Arc::clone(&seat.instance);
    let arbiter = seat.home.arbiter.clone();
    let is_own = seat.home.is_own;
    // From here on the instance ends in order, also if its arbiter is gone and nothing of this ever runs.
    let departure = Departure::of(seat);
    let address = HostActor::start_in_arbiter(&arbiter, move |_| HostActor {
        instance: Arc::clone(&departure.seat().instance),
        is_own,
        start: Some((departure, factory)),
    });
    instance.connect(Box::new(move |command| {
        if !address.connected() {
            return Err(command);
        }
        address.do_send(Control(command));
        Ok(())
    }));
}

type Start<A> = (Departure<<A as Agent>::Message>, Arc<dyn Fn() -> A + Send + Sync>);

struct HostActor<A: Agent> {
    start: Option<Start<A>>,
    instance: Arc<Instance>,
    is_own: bool,
}

impl<A: Agent> Actor for HostActor<A> {
    type Context = actix::Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some((departure, factory)) = self.start.take() else { return };
        let life = current::scope(Arc::clone(&self.instance), serve::<A>(departure, factory));
        ctx.spawn(wrap_future::<_, Self>(life).map(|(), _, ctx| ctx.stop()));
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        if self.is_own {
            Arbiter::current().stop();
        }
    }
}

struct Control(Command);

impl actix::Message for Control {
    type Result = ();
}

impl<A: Agent> Handler<Control> for HostActor<A> {
    type Result = ();

    /// Passes the command on: it is obeyed between two messages, where the agent's state is whole.
    fn handle(&mut self, Control(command): Control, _: &mut Self::Context) {
        self.instance.post(command);
    }
}
