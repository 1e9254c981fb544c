//! Whoever is told: keeps what it was told, and answers as the test wants.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use statim::alert::sink::{Delivered, Delivering, Delivery, Sink, SinkError};
use statim::alert::{Status, Why};

/// How a receiver answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Answer {
    /// Takes it.
    Take,
    /// Takes it, and the answer is lost.
    TakeAndBreak,
    /// Does not answer, ever.
    Hang,
    /// Does not take it, with this status; a 429 with when to come again.
    Status(u16, Option<Duration>),
}

/// What a receiver took.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) id: String,
    pub(crate) attempt: u32,
    pub(crate) why: Why,
    /// The dedup key, the status, and whether it was new.
    pub(crate) notices: Vec<(String, Status, bool)>,
    pub(crate) agents: Vec<String>,
}

type Answers = Box<dyn FnMut(&Delivery) -> Answer + Send>;

/// A receiver in this process.
pub(crate) struct Receiver {
    name: String,
    resend_every: Option<Duration>,
    answers: Mutex<Answers>,
    taken: Mutex<Vec<Taken>>,
    asked: Mutex<Vec<(Instant, Answer)>>,
}

impl Receiver {
    pub(crate) fn new(name: &str) -> Arc<Self> {
        Self::with(name, None)
    }

    pub(crate) fn forgetful(name: &str, resend_every: Duration) -> Arc<Self> {
        Self::with(name, Some(resend_every))
    }

    fn with(name: &str, resend_every: Option<Duration>) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            resend_every,
            answers: Mutex::new(Box::new(|_| Answer::Take)),
            taken: Mutex::default(),
            asked: Mutex::default(),
        })
    }

    /// Answers so from now on.
    pub(crate) fn answer(&self, answers: impl FnMut(&Delivery) -> Answer + Send + 'static) {
        *self.answers.lock().unwrap() = Box::new(answers);
    }

    pub(crate) fn always(&self, answer: Answer) {
        self.answer(move |_| answer);
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    /// When it was asked, and what it answered.
    pub(crate) fn asked(&self) -> Vec<(Instant, Answer)> {
        self.asked.lock().unwrap().clone()
    }

    /// What it was told, a line for each, without repetitions of a delivery: `fired a:firing`.
    pub(crate) fn told(&self) -> Vec<String> {
        let mut ids = Vec::new();
        let mut told = Vec::new();
        for it in self.taken() {
            if !ids.contains(&it.id) {
                let each = it.agents.iter().zip(&it.notices);
                let each: Vec<_> =
                    each.map(|(agent, (_, status, _))| format!("{agent}:{}", status.as_str())).collect();
                told.push(format!("{} {}", it.why.as_str(), each.join(" ")));
                ids.push(it.id);
            }
        }
        told
    }

    /// Whether anything reached it twice.
    pub(crate) fn repetitions(&self) -> usize {
        let mut ids: BTreeMap<String, usize> = BTreeMap::new();
        self.taken().into_iter().for_each(|it| *ids.entry(it.id).or_default() += 1);
        ids.values().map(|count| count - 1).sum()
    }
}

impl Sink for Receiver {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "callback"
    }

    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivering<'a> {
        Box::pin(async move {
            let answer = (self.answers.lock().unwrap())(delivery);
            self.asked.lock().unwrap().push((Instant::now(), answer));
            if matches!(answer, Answer::Take | Answer::TakeAndBreak) {
                let notices = &delivery.notification.notices;
                let taken = Taken {
                    id: delivery.id.clone(),
                    attempt: delivery.attempt,
                    why: delivery.notification.why,
                    notices: notices
                        .iter()
                        .map(|it| (it.alert.dedup_key.clone(), it.status, it.new))
                        .collect(),
                    agents: notices.iter().map(|it| it.alert.labels.get("agent").to_owned()).collect(),
                };
                self.taken.lock().unwrap().push(taken);
            }
            match answer {
                Answer::Take => Ok(Delivered::Told),
                Answer::TakeAndBreak => Err(SinkError::Broken),
                Answer::Hang => std::future::pending().await,
                Answer::Status(429, after) => Err(SinkError::Limited { status: 429, after }),
                Answer::Status(status, _) if status < 500 => Err(SinkError::Refused { status }),
                Answer::Status(status, after) => Err(SinkError::Failed { status, after }),
            }
        })
    }

    fn resend_every(&self) -> Option<Duration> {
        self.resend_every
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A receiver that outlives the process that tells it: a file, with a line for each notice that is new.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) path: PathBuf,
}

/// A line of a [`Journal`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) status: String,
}

impl Journal {
    /// Whole lines only: one that was cut short by a kill was not taken.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let line = |line: &str| {
            let mut words = line.split(' ').map(str::to_owned);
            Some(Line { id: words.next()?, key: words.next()?, status: words.next()? })
        };
        whole.lines().filter_map(line).collect()
    }
}

impl Sink for Journal {
    fn name(&self) -> &str {
        "journal"
    }

    fn kind(&self) -> &'static str {
        "callback"
    }

    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivering<'a> {
        Box::pin(async move {
            let mut text = String::new();
            for notice in delivery.notification.notices.iter().filter(|it| it.new) {
                text += &format!("{} {} {}\n", delivery.id, notice.alert.dedup_key, notice.status.as_str());
            }
            // One write, so that a kill cuts before or after it.
            let file = std::fs::OpenOptions::new().create(true).append(true).open(&self.path);
            file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|_| SinkError::Broken)?;
            // The answer takes its time on the way back: room to be killed between it and the note of it.
            tokio::time::sleep(Duration::from_millis(10)).await;
            Ok(Delivered::Told)
        })
    }
}

/// Checks that of each key the receiver, which knows deliveries by their id, heard in turn that it fires and that it is
/// over, and last that it is over. How often it heard that something fires.
#[track_caller]
pub(crate) fn check_turns(lines: &[Line]) -> usize {
    let mut seen: Vec<(String, String)> = Vec::new();
    let mut open: BTreeMap<String, bool> = BTreeMap::new();
    let mut fired = 0;
    for Line { id, key, status } in lines {
        if seen.contains(&(id.clone(), key.clone())) {
            continue;
        }
        seen.push((id.clone(), key.clone()));
        let is_open = open.entry(key.clone()).or_default();
        match status.as_str() {
            "firing" => {
                assert!(!*is_open, "{key} fires twice without being over in between: {lines:#?}");
                fired += 1;
                *is_open = true;
            }
            _ => {
                assert!(*is_open, "{key} is over and never fired: {lines:#?}");
                *is_open = false;
            }
        }
    }
    let left: Vec<_> = open.iter().filter(|(_, open)| **open).collect();
    assert!(left.is_empty(), "never told to be over: {left:?} {lines:#?}");
    fired
}
