//! What the ledger keeps.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use statim::store::{Durability, Store, StoreOptions};

use super::*;

struct Kept {
    _folder: tempfile::TempDir,
    url: String,
}

fn file() -> Kept {
    let folder = tempfile::tempdir().expect("folder");
    let url = format!("sqlite://{}/statim.consent.db", folder.path().display());
    Kept { _folder: folder, url }
}

async fn ledger(url: &str) -> (Store, Ledger) {
    let store = Store::open(url).await.expect("opens");
    let ledger = Ledger::open(&store).await.expect("opens");
    (store, ledger)
}

#[tokio::test]
async fn the_ledger_rebuilds_the_book_it_was_written_from() {
    let kept = file();
    let (store, ledger) = ledger(&kept.url).await;
    let mut book = ledger.rebuild().await.expect("empty");
    let mut events = ledger
        .import(
            (0..150).map(|n| provision(&format!("p{n}"), r#""effect":"permit","purposes":["research"]"#)),
            now(),
        )
        .await
        .expect("imports");
    events.push(
        ledger
            .grant(provision("q", r#""effect":"deny","actors":["org:z"]"#), now(), Actor::new("nurse"))
            .await
            .expect("grants"),
    );
    events.push(
        ledger.revoke(patient(), Some("p3".into()), now(), Actor::new("nurse")).await.expect("revokes"),
    );
    assert_eq!(events.iter().map(|it| it.seq).collect::<Vec<_>>(), (1..=152).collect::<Vec<_>>());
    for event in &events {
        book.apply(event);
    }
    let ask = request("org:a", "research", "laboratory");
    let decision = book.decide(&ask, now());
    let head =
        ledger.record_decisions((0..1000).map(|_| (ask.clone(), decision.clone()))).await.expect("records");
    assert_eq!(head.seq, 1152);
    store.close().await;

    let (_store, ledger) = self::ledger(&kept.url).await;
    let rebuilt = ledger.rebuild().await.expect("reads");
    assert_eq!(rebuilt.consents(&patient()), book.consents(&patient()));
    assert_eq!(rebuilt.decide(&ask, now()), decision);
    assert_eq!(ledger.verify().await.expect("reads"), Verification::Intact(head));
    let history = ledger.history(&patient(), 1002).await.expect("reads");
    assert_eq!((history.len(), history[0].seq, history[1001].seq), (1002, 151, 1152));
    assert_eq!(history[1].change, events[151].change);
}

#[tokio::test]
async fn a_revocation_by_another_process_is_learnt_by_catching_up() {
    let kept = file();
    let (_store, mine) = ledger(&kept.url).await;
    let (_other, theirs) = ledger(&kept.url).await;
    let mut book = mine.rebuild().await.expect("empty");
    book.apply(
        &mine.grant(provision("p", r#""effect":"permit""#), now(), Actor::Unresolved).await.expect("grants"),
    );
    theirs.revoke(patient(), None, now(), Actor::Unresolved).await.expect("revokes");
    book.apply(
        &mine
            .grant(provision("q", r#""effect":"deny","actors":["org:z"]"#), now(), Actor::Unresolved)
            .await
            .expect("grants"),
    );
    assert_eq!(mine.catch_up(&mut book).await.expect("reads"), 3);
    assert_eq!(answer(&book, &request("org:a", "x", "y")), named(Reason::Revoked, "p"));
    assert_eq!(mine.catch_up(&mut book).await.expect("reads"), 0);
    assert!(matches!(mine.verify().await.expect("reads"), Verification::Intact(Head { seq: 3, .. })));
}

#[tokio::test]
async fn the_table_refuses_update_delete_replace_and_gaps() {
    let kept = file();
    let (store, ledger) = ledger(&kept.url).await;
    ledger.revoke(patient(), None, now(), Actor::Unresolved).await.expect("revokes");
    for statement in [
        "UPDATE consent_events SET at = 0",
        "DELETE FROM consent_events",
        "INSERT OR REPLACE INTO consent_events SELECT seq, 'other', kind, provision, at, body, prev_hash, hash FROM consent_events",
        "INSERT INTO consent_events SELECT seq + 5, patient, kind, provision, at, body, prev_hash, hash FROM consent_events",
    ] {
        let mut writer = store.write().await.expect("a turn");
        let refused =
            sqlx::query(statement).execute(&mut *writer).await.expect_err("append-only").to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
}

#[tokio::test]
async fn the_first_event_that_was_tampered_with_is_named() {
    for (tampering, broken, fault) in [
        ("UPDATE consent_events SET body = replace(body, 'p4', 'p9') WHERE seq = 5", 5, ChainFault::Changed),
        ("UPDATE consent_events SET patient = 'x' WHERE seq = 2", 2, ChainFault::Changed),
        ("UPDATE consent_events SET at = at + 1 WHERE seq = 1", 1, ChainFault::Changed),
        ("UPDATE consent_events SET provision = NULL WHERE seq = 3", 3, ChainFault::Changed),
        ("UPDATE consent_events SET hash = zeroblob(32) WHERE seq = 7", 7, ChainFault::Changed),
        ("UPDATE consent_events SET prev_hash = zeroblob(32) WHERE seq = 7", 7, ChainFault::Unlinked),
        ("DELETE FROM consent_events WHERE seq = 6", 6, ChainFault::Missing),
        ("DELETE FROM consent_events WHERE seq = 1", 1, ChainFault::Missing),
    ] {
        let kept = file();
        let (store, ledger) = ledger(&kept.url).await;
        let many = (0..10).map(|n| provision(&format!("p{n}"), r#""effect":"permit""#));
        ledger.import(many, now()).await.expect("imports");
        let mut writer = store.write().await.expect("a turn");
        sqlx::raw_sql("DROP TRIGGER consent_events_no_update; DROP TRIGGER consent_events_no_delete")
            .execute(&mut *writer)
            .await
            .expect("drops");
        let hit = sqlx::query(tampering).execute(&mut *writer).await.expect("tampers");
        assert_eq!(hit.rows_affected(), 1);
        writer.commit().await.expect("commits");
        assert_eq!(
            ledger.verify().await.expect("reads"),
            Verification::Broken { seq: broken, fault },
            "{tampering}"
        );
    }
}

#[tokio::test]
async fn a_provision_that_makes_no_sense_is_refused_with_the_whole_batch() {
    let kept = file();
    let (_store, ledger) = ledger(&kept.url).await;
    let good = provision("p", r#""effect":"permit""#);
    let bad = Provision { id: " ".into(), ..good.clone() };
    assert!(matches!(ledger.import([good, bad], now()).await, Err(LedgerError::Provision(_))));
    assert_eq!(ledger.head().await.expect("reads").seq, 0);
    assert_eq!(ledger.append_many(vec![]).await.expect("nothing to do"), vec![]);
}

#[tokio::test]
async fn a_store_that_may_lose_commits_is_refused() {
    let kept = file();
    let options = StoreOptions { durability: Durability::Normal, ..StoreOptions::default() };
    let store = Store::open_with(&kept.url, options).await.expect("opens");
    assert!(matches!(Ledger::open(&store).await, Err(LedgerError::NotDurable)));
}

const CHILD: &str = "STATIM_TEST_LEDGER_CHILD";

/// Runs as a child of the next test, which kills it: appends until then, and says each event that was acknowledged.
#[test]
fn child_that_appends_until_it_is_killed() {
    let Ok(url) = std::env::var(CHILD) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(async {
        let (_store, ledger) = ledger(&url).await;
        for n in 0_u32.. {
            let one = provision(&format!("p{n}"), r#""effect":"permit""#);
            let event = ledger.grant(one, now(), Actor::Unresolved).await.expect("grants");
            let mut out = std::io::stdout().lock();
            writeln!(out, "acknowledged {}", event.seq)
                .and_then(|()| out.flush())
                .expect("the parent listens");
        }
    });
}

#[tokio::test]
async fn an_acknowledged_append_survives_sigkill() {
    let kept = file();
    // The test's name as the test program knows it: without the name of the crate.
    let child = concat!(module_path!(), "::child_that_appends_until_it_is_killed");
    let child = child.split_once("::").expect("a path").1;
    for _ in 0..3 {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "--nocapture", child])
            .env(CHILD, &kept.url)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped"));
        let mut acknowledged = 0_u64;
        let mut read = |lines: &mut BufReader<_>, until: u64| {
            let mut line = String::new();
            while acknowledged < until && lines.read_line(&mut line).expect("reads") > 0 {
                if let Some((_, seq)) = line.split_once("acknowledged ") {
                    acknowledged = seq.trim().parse().expect("a number");
                }
                line.clear();
            }
            acknowledged
        };
        let first = read(&mut lines, 1);
        assert!(first > 0, "the child appends");
        read(&mut lines, first + 20);
        std::thread::sleep(Duration::from_millis(3));
        child.kill().expect("killed");
        child.wait().expect("gone");
        // What it said before it died and was not read yet.
        let mut rest = String::new();
        lines.read_to_string(&mut rest).expect("reads");
        let said =
            rest.lines().filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok()).max();
        let acknowledged = read(&mut lines, 0).max(said.unwrap_or_default());
        let (_store, ledger) = ledger(&kept.url).await;
        let Verification::Intact(head) = ledger.verify().await.expect("reads") else {
            panic!("the chain is broken")
        };
        assert!(head.seq >= acknowledged, "{} of {acknowledged} acknowledged events are left", head.seq);
        let book = ledger.rebuild().await.expect("reads");
        assert_eq!(book.version(&patient()), head.seq);
    }
}
