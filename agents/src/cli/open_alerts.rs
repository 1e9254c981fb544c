//! `statim alerts list --database`, `acknowledge`, `silence`, `lift`: a running deployment's alerts, through its database.

use std::time::SystemTime;

use jiff::Timestamp;
use serde_json::json;
use statim::alert::service::{AlertLedger, DeliveryRecord, OpenAlert};
use statim::alert::{Moment, Silence};
use statim::store::{Store, sibling_url};

use super::args::SilenceArgs;
use super::output::{Output, printable};
use super::{CliError, Doing, block_on, database_url};
use crate::deployment::Deployment;

/// Most notifications that are shown.
const MOST: u32 = 100;

pub(super) fn list(database: &str, mut output: Output) -> Result<(), CliError> {
    let (open, waiting, refused) = with_ledger(Some(database), async |ledger| {
        let open = ledger.open_alerts().await.doing("reading what fires")?;
        let waiting = ledger.deliveries(Some("waiting"), MOST).await.doing("reading the notifications")?;
        let refused =
            ledger.deliveries(Some("undeliverable"), MOST).await.doing("reading the notifications")?;
        Ok((open, waiting, refused))
    })?;
    let (at, mut open) = open.map_or((None, Vec::new()), |(at, open)| (Some(at), open));
    open.sort_by_key(|it| std::cmp::Reverse((it.firing, it.alert.severity)));
    match at {
        None => output.line("no rules were ever evaluated with this database")?,
        Some(at) if open.is_empty() => {
            output.line(format_args!("nothing fires or is pending, as of {}", time(at)))?
        }
        Some(at) => output.line(format_args!("as of {}:", time(at)))?,
    }
    for it in &open {
        output.line(printable(&line(it)))?;
        output.line(printable(&format!("         {}", it.alert.finding)))?;
    }
    for (what, records) in [("not delivered yet", &waiting), ("undeliverable", &refused)] {
        if !records.is_empty() {
            output.line(format_args!("{what}:"))?;
        }
        for DeliveryRecord { sink, why, queued_at, attempts, reason, .. } in records {
            let reason = reason.as_deref().unwrap_or("not tried yet");
            let queued_at = time(*queued_at);
            output
                .line(printable(&format!("  {queued_at}  {why} to {sink}, {attempts} attempts: {reason}")))?;
        }
    }
    output.finish(&json!({
        "at": at.map(time),
        "open": open.iter().map(object).collect::<Vec<_>>(),
        "waiting": waiting,
        "undeliverable": refused,
    }))
}

pub(super) fn acknowledge(
    database: Option<&str>,
    key: &str,
    by: &str,
    mut output: Output,
) -> Result<(), CliError> {
    with_ledger(database, async |ledger| ledger.acknowledge(key, by).await.doing("asking for it"))?;
    output.line("asked for; it is done with the next evaluation, if the alert fires then")?;
    output.finish(&json!({ "key": key, "by": by }))
}

pub(super) fn silence(args: &SilenceArgs, mut output: Output) -> Result<(), CliError> {
    let SilenceArgs { name, matchers, lasts, by, comment, database } = args;
    let starts = Moment::from(SystemTime::now());
    let silence = Silence {
        id: name.clone(),
        matchers: matchers.clone(),
        starts,
        ends: starts.after(*lasts),
        by: by.clone(),
        comment: comment.clone(),
    };
    let ends = time(silence.ends);
    with_ledger(database.as_deref(), async |ledger| {
        let asked = ledger.silence(silence).await.doing("asking for it")?;
        asked.map_err(|fault| CliError::usage(fault.to_string()))
    })?;
    output.line(printable(&format!("asked for; {name} begins with the next evaluation and ends {ends}")))?;
    output.finish(&json!({ "name": name, "ends": ends }))
}

pub(super) fn lift(database: Option<&str>, name: &str, mut output: Output) -> Result<(), CliError> {
    with_ledger(database, async |ledger| ledger.lift_silence(name).await.doing("asking for it"))?;
    output.line("asked for; it is done with the next evaluation, if there is such a silence")?;
    output.finish(&json!({ "name": name }))
}

fn with_ledger<T>(
    database: Option<&str>,
    work: impl AsyncFnOnce(&AlertLedger) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let url = database_url(database)?;
    let url = sibling_url(url.as_str(), Deployment::ALERTS_DATABASE).doing("finding the database")?;
    block_on(async {
        let store = Store::open(&url).await.doing("opening the database")?;
        let ledger = AlertLedger::open(&store).await.doing("opening the alerts")?;
        let done = work(&ledger).await;
        store.close().await;
        done
    })
}

/// An alert in a line.
fn line(open: &OpenAlert) -> String {
    let OpenAlert { alert, firing, told, acknowledged, silenced, .. } = open;
    let state = if *firing { "firing" } else { "pending" };
    let mut text = format!("{state:<7}  {:<8}  {}", alert.severity.as_str(), alert.labels);
    if let Some(incident) = &alert.incident {
        text += &format!(" since {}", time(incident.since));
    }
    if !told.is_empty() {
        text += &format!(", told to {}", told.join(" and "));
    }
    if let Some(acknowledged) = acknowledged {
        text += &format!(", looked after by {}", acknowledged.by);
    }
    if let Some(silence) = silenced {
        text += &format!(", silenced by {silence}");
    }
    text + &format!("  {}", alert.dedup_key)
}

fn object(open: &OpenAlert) -> serde_json::Value {
    let OpenAlert { alert, firing, told, told_since, acknowledged, silenced } = open;
    json!({
        "key": alert.dedup_key,
        "rule": alert.rule,
        "severity": alert.severity.as_str(),
        "labels": alert.labels,
        "firing": firing,
        "since": alert.incident.as_ref().map(|it| time(it.since)),
        "value": alert.value,
        "finding": alert.finding,
        "told": told,
        "told_since": told_since.map(time),
        "acknowledged_by": acknowledged.as_ref().map(|it| &it.by),
        "silenced_by": silenced,
    })
}

fn time(moment: Moment) -> String {
    let millis = i64::try_from(moment.millis()).unwrap_or(i64::MAX);
    // Of what is beyond all calendars only that is known.
    Timestamp::from_millisecond(millis).map_or_else(|_| "some day".to_owned(), |it| it.to_string())
}
