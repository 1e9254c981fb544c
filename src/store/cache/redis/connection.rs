//! The connection, made when it is needed and made anew when it is no good.

use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, ErrorKind, RedisError, RedisResult};
use tokio::runtime::Handle;

use crate::store::cache::options::RedisOptions;

/// A connection that is there, or being made.
type Attempt = Shared<BoxFuture<'static, RedisResult<ConnectionManager>>>;

/// One multiplexed connection. Connecting is a task by itself: a question waits for it no longer than for an answer,
/// and a server that is far away is connected to all the same.
pub(super) struct Connection {
    client: Client,
    config: ConnectionManagerConfig,
    current: Mutex<Option<Attempt>>,
}

impl Connection {
    pub(super) fn new(client: Client, options: &RedisOptions) -> Self {
        // The breaker says when to try again, so the manager does not.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(options.connect_timeout))
            .set_response_timeout(Some(options.timeout));
        Self { client, config, current: Mutex::new(None) }
    }

    /// The connection, made on this runtime if there is none.
    pub(super) async fn get(&self, runtime: &Handle) -> RedisResult<ConnectionManager> {
        let attempt = {
            let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            current.get_or_insert_with(|| self.connect(runtime)).clone()
        };
        // One that failed must not be the next question's.
        attempt.await.inspect_err(|_| self.give_up())
    }

    fn connect(&self, runtime: &Handle) -> Attempt {
        let connecting = ConnectionManager::new_with_config(self.client.clone(), self.config.clone());
        let task = runtime.spawn(connecting);
        let done = async move {
            task.await
                .unwrap_or_else(|_| Err(RedisError::from((ErrorKind::Client, "connecting was broken off"))))
        };
        done.boxed().shared()
    }

    /// The next question gets a new connection, unless one is being made at this moment.
    pub(super) fn give_up(&self) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|attempt| attempt.peek().is_some()) {
            *current = None;
        }
    }
}
