//! One actix actor for each agent instance: it hosts the agent's loop and is its control plane.

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Handler, fut::wrap_future};
use actix_rt::Arbiter;

use super::serve::serve;
use crate::agent::{Agent, Command, Instance, Seat, current};
use crate::sync::Arc;

/// Starts an instance in its seat, on the arbiter that the seat names.
pub(crate) fn seat<A: Agent>(seat: Seat<A::Message>, factory: Arc<dyn Fn() -> A + Send + Sync>) {
    let instance = Arc::clone(&seat.instance);
    let arbiter = seat.home.arbiter.clone();
    let address = HostActor::start_in_arbiter(&arbiter, move |_| HostActor {
        instance: Arc::clone(&seat.instance),
        is_own: seat.home.is_own,
        start: Some((seat, factory)),
    });
    instance.connect(Box::new(move |command| {
        if !address.connected() {
            return Err(command);
        }
        address.do_send(Control(command));
        Ok(())
    }));
}

type Start<A> = (Seat<<A as Agent>::Message>, Arc<dyn Fn() -> A + Send + Sync>);

struct HostActor<A: Agent> {
    start: Option<Start<A>>,
    instance: Arc<Instance>,
    is_own: bool,
}

impl<A: Agent> Actor for HostActor<A> {
    type Context = actix::Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some((seat, factory)) = self.start.take() else { return };
        let life = current::scope(Arc::clone(&self.instance), serve(seat, factory));
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
