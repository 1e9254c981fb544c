//! The bulkhead.

use std::time::Duration;

use statim::resilience::{Bulkhead, BulkheadOptions, Environment, Time};
use tokio::time::Instant;

use crate::support::ms;

fn bulkhead(max_concurrent: u32, max_wait: Duration) -> Bulkhead {
    let options = BulkheadOptions { max_concurrent, max_wait };
    Bulkhead::new("callee", &options, &Environment::default().time(Time::manual().0)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn one_more_than_its_places_is_refused_at_once() {
    assert_eq!(BulkheadOptions::default().max_concurrent, 25);
    let bulkhead = bulkhead(25, Duration::ZERO);
    let mut places = Vec::new();
    for _ in 0..25 {
        places.push(bulkhead.enter().await.unwrap());
    }
    let began = Instant::now();
    assert!(bulkhead.enter().await.is_err() && bulkhead.try_enter().is_err());
    assert_eq!(began.elapsed(), Duration::ZERO);
    places.pop();
    drop(bulkhead.try_enter_owned().unwrap());
    drop(places);
    let snapshot = bulkhead.snapshot();
    assert_eq!((snapshot.in_use, snapshot.entered, snapshot.refused), (0, 26, 2));
}

#[tokio::test(start_paused = true)]
async fn waiters_are_served_in_order_and_only_for_so_long() {
    let bulkhead = bulkhead(1, ms(100));
    let first = bulkhead.enter().await.unwrap();
    let began = Instant::now();
    let holder = async {
        tokio::time::sleep(ms(60)).await;
        drop(first);
    };
    let waiter = |hold: Duration| {
        let bulkhead = &bulkhead;
        async move {
            let place = bulkhead.enter().await;
            let waited = began.elapsed();
            tokio::time::sleep(hold).await;
            (place.is_ok(), waited)
        }
    };
    let ((), second, third) = tokio::join!(holder, waiter(ms(50)), waiter(ms(1)));
    assert_eq!(second, (true, ms(60)));
    assert_eq!((third.0, third.1.as_millis()), (false, 100));
    assert_eq!(bulkhead.snapshot().waited, 1);
}
