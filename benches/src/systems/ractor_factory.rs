//! ractor's factory with one worker: the one place in ractor that knows priorities. A job goes to the factory, an actor
//! with an unbounded mailbox, which keeps a queue for each priority and gives its worker, another actor, one job at a
//! time.

use ractor::factory::queues::{PriorityManager, PriorityQueue, StandardPriority};
use ractor::factory::routing::QueuerRouting;
use ractor::factory::{
    Factory, FactoryArguments, FactoryMessage, Job, JobOptions, Worker, WorkerBuilder, WorkerId,
};
use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::ractor::Message;
use crate::{Ask, Counter, Fault, Level, Peer, Target, Work};

/// A job dispatched to a factory of one worker.
#[derive(Debug)]
pub struct RactorFactory;

/// What the factory receives.
pub type Inbox = FactoryMessage<StandardPriority, Message>;

/// The factory's address.
#[derive(Debug, Clone)]
pub struct Address(ActorRef<Inbox>);

impl Peer for RactorFactory {
    const NAME: &'static str = "ractor (factory priorities)";
    const PACKAGE: &'static str = "ractor";
    type Target = Address;

    async fn start(counter: Counter, _: usize) -> Result<Address, Fault> {
        let arguments = FactoryArguments::builder()
            .worker_builder(Box::new(OneWorker(Some(counter))))
            .queue(Queue::new(ByKey))
            .router(Router::default())
            .num_initial_workers(1)
            .build();
        let factory = Factory::<StandardPriority, Message, Counter, Subject, Router, Queue>::default();
        let (factory, _) = Actor::spawn(None, factory, arguments).await.map_err(Fault::start)?;
        Ok(Address(factory))
    }
}

impl Target for Address {
    async fn tell(&self, work: Work) -> Result<(), Fault> {
        self.0.cast(job(work.level, Message::Work(work))).map_err(Fault::gone)
    }

    async fn ask(&self, ask: Ask) -> Result<u64, Fault> {
        ractor::call!(self.0, |reply| job(Level::High, Message::Ask(ask, reply))).map_err(Fault::gone)
    }
}

fn job(level: Level, message: Message) -> Inbox {
    let key = match level {
        Level::Critical => StandardPriority::Highest,
        Level::High => StandardPriority::High,
        Level::Normal => StandardPriority::Normal,
        Level::Low => StandardPriority::BestEffort,
    };
    FactoryMessage::Dispatch(Job { key, msg: message, options: JobOptions::default(), accepted: None })
}

type Router = QueuerRouting<StandardPriority, Message>;
type Queue = PriorityQueue<StandardPriority, Message, StandardPriority, ByKey, { StandardPriority::size() }>;

/// A job's key is its priority.
struct ByKey;

impl PriorityManager<StandardPriority, StandardPriority> for ByKey {
    fn is_discardable(&self, _: &StandardPriority) -> bool {
        false
    }

    fn get_priority(&self, key: &StandardPriority) -> Option<StandardPriority> {
        Some(*key)
    }
}

/// The worker under test; its state is the counter.
#[derive(Debug)]
pub struct Subject;

impl Worker for Subject {
    type Key = StandardPriority;
    type Message = Message;
    type Arguments = Counter;
    type State = Counter;

    async fn pre_start(
        &self,
        _: WorkerId,
        _: &ActorRef<Inbox>,
        counter: Counter,
    ) -> Result<Counter, ActorProcessingErr> {
        Ok(counter)
    }

    async fn handle(
        &self,
        _: WorkerId,
        _: &ActorRef<Inbox>,
        job: Job<StandardPriority, Message>,
        counter: &mut Counter,
    ) -> Result<StandardPriority, ActorProcessingErr> {
        match job.msg {
            Message::Work(work) => counter.work(work),
            Message::Ask(ask, reply) => reply.send(counter.answer(ask))?,
        }
        Ok(job.key)
    }
}

/// Gives the counter to the only worker there will be.
#[derive(Debug)]
struct OneWorker(Option<Counter>);

impl WorkerBuilder<Subject, Counter> for OneWorker {
    fn build(&mut self, _: WorkerId) -> (Subject, Counter) {
        let counter = self.0.take();
        (Subject, counter.expect("a worker of a benchmark does not fail, so it is built once"))
    }
}
