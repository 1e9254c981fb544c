//! A runtime whose hours pass in milliseconds.

use std::ops::Deref;
use std::time::Duration;

use crate::clock::Clock;
use crate::host::VirtualHost;
use crate::runtime::{Runtime, RuntimeBuilder, RuntimeHandle};

/// The runtime of one test in virtual time. Everything runs on the test's thread, whatever the placement.
#[derive(Debug)]
pub struct TestRuntime {
    runtime: Runtime,
}

impl TestRuntime {
    /// Lets virtual time pass. Whatever falls due meanwhile happens in order.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn advance(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Lets everything happen that can happen without time passing.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn settle(&self) {
        // The clock jumps only when nothing else can run, and by no more than this.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

impl Deref for TestRuntime {
    type Target = RuntimeHandle;

    fn deref(&self) -> &RuntimeHandle {
        self.runtime.handle()
    }
}

/// Runs a test in virtual time, and fails it if it leaves agents behind.
///
/// Time stands still while anything can run, and jumps to the next timer when nothing can, so a test of
/// a backoff of hours takes milliseconds, and takes them the same way every time. At its end every agent
/// must have ended: a test stops what it spawned, or calls [`RuntimeHandle::stop_and_wait`].
///
/// # Panics
///
/// If the test panics, or leaks an agent, or the thread's event loop cannot be started.
pub fn virtual_time<T>(test: impl AsyncFnOnce(&TestRuntime) -> T) -> T {
    virtual_time_with(Runtime::builder(), test)
}

fn virtual_time_with<T>(builder: RuntimeBuilder, test: impl AsyncFnOnce(&TestRuntime) -> T) -> T {
    let host = VirtualHost::new().expect("an event loop can be started");
    host.block_on(async move {
        let clock = Clock::virtual_time();
        let runtime = builder.build(VirtualHost::host(&clock), clock);
        let runtime = TestRuntime { runtime };
        let result = test(&runtime).await;
        // Agents that were told to stop get the time to do it.
        runtime.settle().await;
        let leaked = runtime.living();
        assert!(leaked.is_empty(), "the test left agents behind: {}", leaked.join(", "));
        result
    })
}
