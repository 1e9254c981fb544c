//! Tokio's two arrangements of threads, for crowds that are tasks.

use std::future::Future;

use tokio::runtime::Runtime;

use super::{Crowd, Venue};
use crate::stage::{await_outcome, drive, single_threaded, two_workers};
use crate::{Fault, Peer, Pinned, WorkStealing};

impl<P> Venue for Pinned<P>
where
    P: Peer + Crowd<Here = ()>,
{
    type Crowd = P;

    fn name() -> String {
        P::NAME.to_owned()
    }

    fn package() -> &'static str {
        P::PACKAGE
    }

    fn run<T, D, F>(driver: D) -> Result<T, Fault>
    where
        T: Send + 'static,
        D: FnOnce(()) -> F + Send + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        on(single_threaded()?, driver)
    }
}

impl<P> Venue for WorkStealing<P>
where
    P: Peer + Crowd<Here = ()>,
{
    type Crowd = P;

    fn name() -> String {
        format!("{} (work-stealing)", P::NAME)
    }

    fn package() -> &'static str {
        P::PACKAGE
    }

    fn run<T, D, F>(driver: D) -> Result<T, Fault>
    where
        T: Send + 'static,
        D: FnOnce(()) -> F + Send + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        on(two_workers()?, driver)
    }
}

fn on<T, D, F>(runtime: Runtime, driver: D) -> Result<T, Fault>
where
    T: Send + 'static,
    D: FnOnce(()) -> F + Send + 'static,
    F: Future<Output = Result<T, Fault>> + Send + 'static,
{
    await_outcome(move |report| drive(&runtime, async move { driver(()).await }, report))
}
