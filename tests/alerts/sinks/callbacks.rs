//! Functions that are called.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use statim::alert::sink::{Callback, Delivered, Delivery, RetryClass, Sink as _, SinkError, Step};

use super::support::{delivery, fired};

const LIMIT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_callback_is_given_the_whole_delivery() {
    let heard: Arc<Mutex<Vec<Delivery>>> = Arc::default();
    let delivery = delivery(fired());
    let asynchronous = {
        let heard = Arc::clone(&heard);
        Callback::new("own", LIMIT, move |delivery| {
            let heard = Arc::clone(&heard);
            async move {
                tokio::task::yield_now().await;
                heard.lock().unwrap().push(Delivery::clone(&delivery));
                Ok(())
            }
        })
    };
    let blocking = {
        let heard = Arc::clone(&heard);
        Callback::blocking("own", LIMIT, move |delivery| {
            heard.lock().unwrap().push(delivery.clone());
            Ok(())
        })
    };
    for callback in [asynchronous, blocking] {
        assert_eq!((callback.name(), callback.kind()), ("own", "callback"));
        assert_eq!(callback.deliver(&delivery).await, Ok(Delivered::Told));
    }
    assert_eq!(*heard.lock().unwrap(), [delivery.clone(), delivery]);
}

#[tokio::test]
async fn a_panic_ends_nothing_but_the_call() {
    let while_made = Callback::new("own", LIMIT, |_| -> std::future::Ready<Result<(), SinkError>> {
        panic!("on purpose")
    });
    let later = Callback::new("own", LIMIT, |_| async { panic!("on purpose") });
    let blocking = Callback::blocking("own", LIMIT, |_| panic!("on purpose"));
    for callback in [while_made, later, blocking] {
        for _ in 0..2 {
            let error = callback.deliver(&delivery(fired())).await.unwrap_err();
            assert_eq!((&error, error.retry()), (&SinkError::Panicked, RetryClass::Never));
        }
    }
}

#[tokio::test]
async fn a_callback_that_hangs_is_left_and_one_is_not_called_while_it_hangs() {
    let late = SinkError::TimedOut { step: Step::Callback, limit: LIMIT };
    let calls = Arc::new(AtomicUsize::new(0));
    let hanging = {
        let calls = Arc::clone(&calls);
        Callback::new("own", LIMIT, move |_| {
            calls.fetch_add(1, Ordering::SeqCst);
            std::future::pending()
        })
    };
    for _ in 0..2 {
        assert_eq!(hanging.deliver(&delivery(fired())).await, Err(late.clone()));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 2, "an asynchronous call that is left is over");

    let blocking = {
        let calls = Arc::clone(&calls);
        Callback::blocking("own", LIMIT, move |_| {
            calls.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_secs(3));
            Ok(())
        })
    };
    let start = Instant::now();
    for _ in 0..2 {
        assert_eq!(blocking.deliver(&delivery(fired())).await, Err(late.clone()));
    }
    assert!(start.elapsed() < Duration::from_millis(2_500), "{:?}", start.elapsed());
    assert_eq!(calls.load(Ordering::SeqCst), 3, "a thread that hangs is waited for, not joined by others");
}

#[tokio::test]
async fn a_callback_says_whether_to_call_it_again() {
    for retry in [RetryClass::Never, RetryClass::Later, RetryClass::After(LIMIT)] {
        let refusing = Callback::blocking("own", LIMIT, move |_| {
            Err(SinkError::Callback { what: "the pager is off".to_owned(), retry })
        });
        let error = refusing.deliver(&delivery(fired())).await.unwrap_err();
        assert_eq!((error.to_string(), error.retry()), ("the pager is off".to_owned(), retry));
    }
}
