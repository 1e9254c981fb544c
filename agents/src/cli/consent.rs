//! `statim consent …`: the consent ledger from the command line.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use statim::store::Store;

use super::args::{ConsentArgs, ConsentCommand, DecideArgs, GrantArgs, HistoryArgs, RevokeArgs};
use super::output::{Output, note, printable};
use super::progress::Progress;
use super::{CliError, Doing, block_on, database_url};
use crate::config::DatabaseUrl;
use crate::consent::{
    AccessRequest, Actor, BadLine, Book, Change, ConsentEvent, DataType, Decision, Effect, Ledger, LineFault,
    PatientId, Period, Provision, ProvisionId, Purpose, Verification, read_provisions,
};

/// Provisions recorded in one commit of an import.
const BATCH: usize = 512;
/// Refused lines that the JSON of an import names; standard error has them all.
const NAMED: usize = 100;

pub(super) fn consent(args: &ConsentArgs) -> Result<(), CliError> {
    let url = database_url(args.database.as_deref())?;
    let output = Output::new(args.json);
    block_on(async {
        match &args.command {
            ConsentCommand::Grant(args) => grant(&url, args, output).await,
            ConsentCommand::Revoke(args) => revoke(&url, args, output).await,
            ConsentCommand::Import(args) => import(&url, &args.file, output).await,
            ConsentCommand::Decide(args) => decide(&url, args, output).await,
            ConsentCommand::History(args) => history(&url, args, output).await,
            ConsentCommand::Verify => verify(&url, output).await,
        }
    })
}

async fn grant(url: &DatabaseUrl, args: &GrantArgs, output: Output) -> Result<(), CliError> {
    let now = Timestamp::now();
    let provision = Provision {
        id: ProvisionId::new(args.provision.as_str()),
        patient: PatientId::new(args.patient.as_str()),
        issued: Some(now),
        effect: args.effect,
        purposes: args.purpose.iter().map(|it| Purpose::new(it.as_str())).collect(),
        data_types: args.data_type.iter().map(|it| DataType::new(it.as_str())).collect(),
        actors: args.actor.iter().map(|it| Actor::new(it.as_str())).collect(),
        period: Period {
            start: args.start.as_deref().map(|it| edge("start", it)).transpose()?,
            end: args.end.as_deref().map(|it| edge("end", it)).transpose()?,
        },
        exceptions: Vec::new(),
    };
    provision.check().map_err(|fault| CliError::usage(format!("the provision makes no sense: {fault}")))?;
    let (store, ledger) = open(url, Missing::Create).await?;
    let event = ledger.grant(provision, now, by(args.by.as_deref())).await.doing("recording the grant")?;
    store.close().await;
    recorded(&event, output)
}

async fn revoke(url: &DatabaseUrl, args: &RevokeArgs, output: Output) -> Result<(), CliError> {
    let patient = PatientId::new(identifier("patient", &args.patient)?);
    let provision = match &args.provision {
        Some(id) => Some(ProvisionId::new(identifier("provision", id)?)),
        None => None,
    };
    let (store, ledger) = open(url, Missing::Create).await?;
    // First the patient's word, then the look at what it means.
    let event = ledger
        .revoke(patient.clone(), provision.clone(), Timestamp::now(), by(args.by.as_deref()))
        .await
        .doing("recording the revocation")?;
    match ledger.rebuild().await {
        Ok(book) => {
            let held = book.consents(&patient).map_or(&[][..], |it| &it.provisions);
            let meant = |id: &ProvisionId| provision.as_ref().is_none_or(|it| it == id);
            if !held.iter().any(|it| meant(&it.provision.id)) {
                note(
                    "note: nothing of the kind is known of this patient; the revocation holds if it is imported later",
                );
            }
        }
        Err(error) => note(format_args!("warning: the revocation is recorded, but {error}")),
    }
    store.close().await;
    recorded(&event, output)
}

fn recorded(event: &ConsentEvent, mut output: Output) -> Result<(), CliError> {
    let kind = event.change.kind();
    let provision = event.change.provision().map(ProvisionId::as_str);
    let what = provision.map_or_else(|| "everything".to_owned(), printable);
    output.line(format_args!("recorded as event {}: {kind} {what}", event.seq))?;
    output.finish(&json!({ "seq": event.seq, "at": event.at, "kind": kind, "provision": provision }))
}

async fn import(url: &DatabaseUrl, file: &Path, mut output: Output) -> Result<(), CliError> {
    let reader: Box<dyn BufRead> = if file.as_os_str() == "-" {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let opened = File::open(file).doing(&format!("opening {}", file.display()))?;
        Box::new(BufReader::with_capacity(64 << 10, opened))
    };
    let (store, ledger) = open(url, Missing::Create).await?;
    let mut import = Import {
        book: ledger.rebuild().await.doing("reading the ledger")?,
        ledger,
        done: Imported::default(),
    };
    let progress = Progress::new("importing", "provisions", None);
    let mut batch = Vec::with_capacity(BATCH);
    let mut unreadable = None;
    for (read, line) in (1..).zip(read_provisions(reader)) {
        match line {
            Ok(provision) => batch.push(provision),
            Err(BadLine { fault: fault @ LineFault::Read(_), .. }) => unreadable = Some(fault),
            Err(bad) => import.refuse(file, &bad),
        }
        if batch.len() == BATCH {
            import.take(&mut batch).await?;
            progress.set(read);
        }
    }
    import.take(&mut batch).await?;
    progress.finish();
    store.close().await;

    let done = import.done;
    if let Some(fault) = unreadable {
        let what = format!("{}: {fault}; {} provisions were recorded before", file.display(), done.imported);
        return Err(CliError::failed(what));
    }
    let Imported { imported, unchanged, refused, .. } = &done;
    output.line(format_args!("{imported} imported, {unchanged} unchanged, {refused} refused"))?;
    output.finish(&done)
}

struct Import {
    ledger: Ledger,
    book: Book,
    done: Imported,
}

#[derive(Default, Serialize)]
struct Imported {
    imported: u64,
    unchanged: u64,
    refused: u64,
    /// The first of the refused lines.
    faults: Vec<RefusedLine>,
}

#[derive(Serialize)]
struct RefusedLine {
    line: u64,
    reason: String,
}

impl Import {
    fn refuse(&mut self, file: &Path, bad: &BadLine) {
        note(format_args!("{}:{}: {}", file.display(), bad.line, bad.fault));
        self.done.refused += 1;
        if self.done.faults.len() < NAMED {
            self.done.faults.push(RefusedLine { line: bad.line, reason: bad.fault.to_string() });
        }
    }

    async fn take(&mut self, batch: &mut Vec<Provision>) -> Result<(), CliError> {
        let read = batch.len() as u64;
        batch.retain(|it| self.book.would_import(it));
        let events =
            self.ledger.import(batch.drain(..), Timestamp::now()).await.doing("recording the import")?;
        for event in &events {
            self.book.apply(event);
        }
        self.done.imported += events.len() as u64;
        self.done.unchanged += read - events.len() as u64;
        Ok(())
    }
}

async fn decide(url: &DatabaseUrl, args: &DecideArgs, mut output: Output) -> Result<(), CliError> {
    let request = AccessRequest {
        patient: PatientId::new(identifier("patient", &args.patient)?),
        actor: Actor::new(identifier("actor", &args.actor)?),
        purpose: Purpose::new(identifier("purpose", &args.purpose)?),
        data_type: DataType::new(identifier("data-type", &args.data_type)?),
    };
    let now = args.at.as_deref().map(|it| edge("at", it)).transpose()?.unwrap_or_else(Timestamp::now);
    let (store, ledger) = open(url, Missing::Create).await?;
    let book = ledger.rebuild().await.doing("reading the ledger")?;
    let decision = book.decide(&request, now);
    // Nobody hears of a decision that is not on record.
    let head =
        ledger.record_decisions([(request, decision.clone())]).await.doing("recording the decision")?;
    store.close().await;
    output.line(told(&decision))?;
    let mut object = serde_json::to_value(&decision).doing("writing the decision as JSON")?;
    object["seq"] = head.seq.into();
    output.finish(&object)
}

fn told(decision: &Decision) -> String {
    let outcome = if decision.is_permit() { "permit" } else { "deny" };
    let reason = word(&decision.reason);
    match &decision.provision {
        Some(id) => format!("{outcome}: {reason}, by provision {}", printable(id.as_str())),
        None => format!("{outcome}: {reason}"),
    }
}

/// The name of a unit variant, as its JSON has it.
fn word(variant: &impl Serialize) -> String {
    match serde_json::to_value(variant) {
        Ok(serde_json::Value::String(name)) => name,
        _ => "unknown".to_owned(),
    }
}

async fn history(url: &DatabaseUrl, args: &HistoryArgs, mut output: Output) -> Result<(), CliError> {
    let patient = PatientId::new(identifier("patient", &args.patient)?);
    let (store, ledger) = open(url, Missing::Refuse).await?;
    let events = ledger.history(&patient, args.limit).await.doing("reading the history")?;
    store.close().await;
    if events.is_empty() {
        output.line("nothing is recorded about this patient")?;
    }
    for event in &events {
        output.line(format_args!("{:>8}  {}  {}", event.seq, event.at, happened(&event.change)))?;
    }
    output.finish(&json!({ "events": events }))
}

fn happened(change: &Change) -> String {
    match change {
        Change::Grant { provision, .. } | Change::Import { provision } => {
            let effect = if provision.effect == Effect::Permit { "permits" } else { "denies" };
            let id = printable(provision.id.as_str());
            format!("{:<8}  {id} {effect} {}", change.kind(), scope(provision))
        }
        Change::Revoke(revocation) => match &revocation.provision {
            Some(id) => format!("revoke    {}", printable(id.as_str())),
            None => "revoke    everything".to_owned(),
        },
        Change::Decision { request, decision } => {
            let actor = shown(&request.actor);
            let asked =
                printable(&format!("{actor} asked for {} for {}", request.data_type, request.purpose));
            format!("decision  {asked}: {}", told(decision))
        }
    }
}

/// What a provision speaks of.
fn scope(provision: &Provision) -> String {
    let list = |codes: Vec<&str>, any: &str| if codes.is_empty() { any.to_owned() } else { codes.join(", ") };
    let Provision { purposes, data_types, actors, period, exceptions, .. } = provision;
    let mut text = format!(
        "{} for {} to {}",
        list(data_types.iter().map(DataType::as_str).collect(), "anything"),
        list(purposes.iter().map(Purpose::as_str).collect(), "any purpose"),
        list(actors.iter().map(shown).collect(), "anybody"),
    );
    for (word, edge) in [("from", period.start), ("until", period.end)] {
        if let Some(edge) = edge {
            text += &format!(" {word} {edge}");
        }
    }
    if !exceptions.is_empty() {
        text += &format!(", with {} exceptions", exceptions.len());
    }
    printable(&text)
}

fn shown(actor: &Actor) -> &str {
    match actor {
        Actor::Known(id) => id,
        Actor::Unresolved => "somebody unknown",
    }
}

async fn verify(url: &DatabaseUrl, mut output: Output) -> Result<(), CliError> {
    // A ledger that is gone is not intact.
    let (store, ledger) = open(url, Missing::Refuse).await?;
    let found = ledger.verify().await.doing("reading the ledger")?;
    store.close().await;
    match found {
        Verification::Intact(head) => {
            let hash: String = head.hash.iter().map(|byte| format!("{byte:02x}")).collect();
            output.line(format_args!("intact: {} events, head {hash}", head.seq))?;
            output.finish(&json!({ "intact": true, "events": head.seq, "head": hash }))
        }
        Verification::Broken { seq, fault } => {
            output.finish(&json!({ "intact": false, "seq": seq, "fault": fault.to_string() }))?;
            Err(CliError::failed(format!("the consent ledger is broken at event {seq}: {fault}")))
        }
    }
}

/// What to do about a ledger that is not there.
#[derive(PartialEq)]
enum Missing {
    Create,
    Refuse,
}

async fn open(url: &DatabaseUrl, missing: Missing) -> Result<(Store, Ledger), CliError> {
    let mut place = url.consent().to_owned();
    if missing == Missing::Refuse && place.starts_with("sqlite:") && !place.contains('?') {
        place += "?mode=rw";
    }
    let none = |source| CliError::Failed { what: "there is no consent ledger to work on".to_owned(), source };
    // The URL was looked at before; what can go wrong now is the file, or the server.
    let store = Store::open(&place).await.map_err(|error| none(Some(error.into())))?;
    if missing == Missing::Refuse && !Ledger::is_in(&store).await.doing("looking for the consent ledger")? {
        return Err(none(None));
    }
    let ledger = Ledger::open(&store).await.doing("opening the consent ledger")?;
    Ok((store, ledger))
}

fn by(who: Option<&str>) -> Actor {
    who.map_or(Actor::Unresolved, Actor::new)
}

fn identifier<'a>(flag: &str, text: &'a str) -> Result<&'a str, CliError> {
    if text.len() > Provision::LONGEST_CODE {
        return Err(CliError::usage(format!("--{flag} is longer than {} bytes", Provision::LONGEST_CODE)));
    }
    Ok(text)
}

/// A time, or the edge of a date, as a [`Period`] reads it.
fn edge(flag: &str, text: &str) -> Result<Timestamp, CliError> {
    let side = if flag == "end" { "end" } else { "start" };
    let period = serde_json::from_value::<Period>(json!({ (side): text })).ok();
    period.and_then(|it| it.start.or(it.end)).ok_or_else(|| {
        CliError::usage(format!(
            "--{flag} is not a time such as 2026-05-01T08:00:00Z, a date (2026-05-01), a month (2026-05) or a year"
        ))
    })
}
