//! `statim dead-letters …`: messages that no agent could handle.

use std::time::SystemTime;

use jiff::Timestamp;
use serde_json::{Value, json};
use statim::store::Store;

use super::args::{DeadLettersArgs, DeadLettersCommand, ListArgs, PurgeArgs};
use super::output::{Output, printable};
use super::{CliError, Doing, block_on, database_url};
use statim::delivery::{LetterFilter, LetterStatus, LetterStore, NewLetter, StoredLetter};

/// Letters read at a time.
const PAGE: u32 = 512;

pub(super) fn dead_letters(args: &DeadLettersArgs) -> Result<(), CliError> {
    let url = database_url(args.database.as_deref())?;
    let output = Output::new(args.json);
    block_on(async {
        // The URL was looked at before; what can go wrong now is the file.
        let store = Store::open(url.as_str()).await.doing("opening the database")?;
        let letters = LetterStore::open(&store).await.doing("opening the dead letters")?;
        let done = match &args.command {
            DeadLettersCommand::List(args) => list(&letters, args, output).await,
            DeadLettersCommand::Show { id } => show(&letters, *id, output).await,
            DeadLettersCommand::Requeue { ids, all } => requeue(&letters, ids, *all, output).await,
            DeadLettersCommand::Purge(args) => purge(&letters, args, output).await,
        };
        store.close().await;
        done
    })
}

async fn list(letters: &LetterStore, args: &ListArgs, mut output: Output) -> Result<(), CliError> {
    let filter = LetterFilter { agent: args.agent.clone(), status: args.status, ..LetterFilter::default() };
    let limit = args.limit as usize;
    let (mut listed, mut after) = (Vec::new(), 0);
    // One more than is shown, to know whether there are more.
    while listed.len() <= limit {
        let page = letters.list(&filter, after, PAGE).await.doing("reading the dead letters")?;
        let Some(last) = page.last() else { break };
        after = last.id;
        let wanted =
            |it: &StoredLetter| args.reason.as_ref().is_none_or(|reason| *reason == it.letter.reason);
        listed.extend(page.into_iter().filter(wanted));
    }
    let more = listed.len() > limit;
    listed.truncate(limit);

    if listed.is_empty() {
        output.line("no dead letters")?;
    } else {
        output.line("      id  died                  status    agent             kind              priority  reason            attempts")?;
    }
    for StoredLetter { id, status, letter } in &listed {
        let NewLetter { at, agent, kind, priority, reason, attempts, .. } = letter;
        let at = whole_seconds(*at);
        let line = format!(
            "{id:>8}  {at:<20}  {:<8}  {agent:<16}  {kind:<16}  {priority:<8}  {reason:<16}  {attempts:>8}",
            status.as_str()
        );
        output.line(printable(&line))?;
    }
    if more {
        output
            .line(format_args!("there are more; --limit {} shows more of them", limit.saturating_mul(10)))?;
    }
    output.finish(&json!({ "letters": listed.iter().map(object).collect::<Vec<_>>(), "more": more }))
}

async fn show(letters: &LetterStore, id: i64, mut output: Output) -> Result<(), CliError> {
    let Some(found) = letters.show(id).await.doing("reading the dead letter")? else {
        return Err(CliError::failed(format!("there is no dead letter {id}")));
    };
    let NewLetter { at, agent, kind, priority, reason, attempts, age, body } = &found.letter;
    let fields = [
        ("id", id.to_string()),
        ("status", found.status.as_str().to_owned()),
        ("died", moment(*at).to_string()),
        ("age", format!("{age:?}")),
        ("agent", agent.clone()),
        ("kind", kind.clone()),
        ("priority", priority.clone()),
        ("reason", reason.clone()),
        ("attempts", attempts.to_string()),
    ];
    for (name, value) in fields {
        output.line(printable(&format!("{name:<9} {value}")))?;
    }
    let content = Content::of(body.as_deref());
    match &content {
        Content::Nothing => output.line("no content was kept, so it cannot be requeued")?,
        Content::Json(value) => output.line(format_args!("\n{}", printable(&format!("{value:#}"))))?,
        Content::Text(text) => output.line(format_args!("\n{}", printable(text)))?,
        Content::Hex(digits) => output.line(format_args!("\nnot text; in hexadecimal:\n{digits}"))?,
    }
    let mut shown = object(&found);
    let (form, value) = match content {
        Content::Nothing => ("none", Value::Null),
        Content::Json(value) => ("json", value),
        Content::Text(text) => ("text", text.into()),
        Content::Hex(digits) => ("hex", digits.into()),
    };
    shown["body_form"] = form.into();
    shown["body"] = value;
    output.finish(&shown)
}

/// The content of a letter, in the most readable form it has.
enum Content {
    Nothing,
    Json(Value),
    Text(String),
    Hex(String),
}

impl Content {
    fn of(body: Option<&[u8]>) -> Self {
        let Some(body) = body else { return Self::Nothing };
        match (serde_json::from_slice(body), std::str::from_utf8(body)) {
            (Ok(value), _) => Self::Json(value),
            (_, Ok(text)) => Self::Text(text.to_owned()),
            _ => Self::Hex(body.iter().map(|byte| format!("{byte:02x}")).collect()),
        }
    }
}

async fn requeue(letters: &LetterStore, ids: &[i64], all: bool, mut output: Output) -> Result<(), CliError> {
    let mut refused = Vec::new();
    let filter = if all {
        LetterFilter { status: Some(LetterStatus::Parked), ..LetterFilter::default() }
    } else {
        let mut wanted = Vec::new();
        for &id in ids {
            match letters.show(id).await.doing("reading the dead letter")? {
                Some(found) if found.letter.body.is_some() => wanted.push(id),
                Some(_) => refused.push((id, "has no content that could be handed over")),
                None => refused.push((id, "does not exist")),
            }
        }
        LetterFilter { ids: Some(wanted), ..LetterFilter::default() }
    };
    let count = letters.requeue(&filter).await.doing("requeueing")?;
    output.line(format_args!("{count} requeued; their agents get them when the deployment runs"))?;
    let named: Vec<Value> =
        refused.iter().map(|(id, reason)| json!({ "id": id, "reason": reason })).collect();
    output.finish(&json!({ "requeued": count, "refused": named }))?;
    if refused.is_empty() {
        return Ok(());
    }
    let why: Vec<String> = refused.iter().map(|(id, reason)| format!("{id} {reason}")).collect();
    Err(CliError::failed(format!("some were not requeued: {}", why.join(", "))))
}

async fn purge(letters: &LetterStore, args: &PurgeArgs, mut output: Output) -> Result<(), CliError> {
    let filter = LetterFilter {
        ids: (!args.ids.is_empty()).then(|| args.ids.clone()),
        before: args.older_than.map(|age| SystemTime::now() - age),
        ..LetterFilter::default()
    };
    let count = letters.purge(&filter).await.doing("purging")?;
    output.line(format_args!("{count} purged"))?;
    output.finish(&json!({ "purged": count }))
}

fn object(found: &StoredLetter) -> Value {
    let StoredLetter { id, status, letter } = found;
    json!({
        "id": id,
        "status": status,
        "at": moment(letter.at),
        "agent": letter.agent,
        "kind": letter.kind,
        "priority": letter.priority,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "age_ms": u64::try_from(letter.age.as_millis()).unwrap_or(u64::MAX),
    })
}

/// As a calendar has it.
fn moment(at: SystemTime) -> Timestamp {
    Timestamp::try_from(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn whole_seconds(at: SystemTime) -> String {
    let at = moment(at);
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}
