//! Rows by the million, in the memory of a few.

use futures_util::TryStreamExt;

use super::child::Process;
use super::*;

on_both! { a_million_rows_stream_in_bounded_memory, }

const ROWS: i64 = 1_000_000;

/// 200 MB of text pass; a process of its own says how much memory it took.
async fn a_million_rows_stream_in_bounded_memory(place: Place) {
    drop(place.open().await);
    let url = place.url.clone();
    let grown = tokio::task::spawn_blocking(move || Process::start("stream", &url).wait_for("grown by KiB:"));
    let grown: u64 = grown.await.expect("ends").parse().expect("is a number");
    eprintln!("streaming {ROWS} rows took {grown} KiB");
    assert!(grown < 32 << 10, "{grown} KiB");
}

/// Runs in the process of its own.
pub(super) async fn measure(store: &Store) {
    let mut reader = store.read().await.expect("a reader");
    let text = store.dialect().choose(
        "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < $1)
         SELECT n, printf('%0200d', n) FROM r",
        "SELECT n, lpad(n::TEXT, 200, '0') FROM generate_series(1, $1) AS r (n)",
    );
    let few = sqlx::query(text).bind(1_000_i64).fetch_all(&mut *reader).await.expect("reads");
    drop(few);
    let before = peak_kib();
    let (mut count, mut bytes) = (0, 0);
    let mut rows = sqlx::query(text).bind(ROWS).fetch(&mut *reader);
    while let Some(row) = rows.try_next().await.expect("reads") {
        count += 1;
        bytes += row.try_get::<&str, _>(1).expect("is text").len();
        assert_eq!(row.try_get::<i64, _>(0).expect("is a number"), count);
    }
    assert_eq!((count, bytes), (ROWS, 200 * ROWS as usize));
    println!("\ngrown by KiB: {}", peak_kib().saturating_sub(before));
}

/// The most memory this process ever had, as Linux tells.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).expect("is told");
    line.trim().trim_end_matches(" kB").parse().expect("is a number")
}
