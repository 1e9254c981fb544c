//! One instance of an agent: what others see of it, and the commands it is given.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::cell::AnyCell;
use super::wait_graph::Waits;
use crate::mailbox::ConsumerId;
use crate::sync::{Arc, Mutex, Ordering, lock};
use crate::telemetry::AgentState;

/// What [`AgentRef::inspect`](crate::AgentRef::inspect) finds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Inspection {
    /// The instance: the agent's name, with a number behind it in a pool.
    pub instance: String,
    /// Where it is in its life.
    pub state: AgentState,
    /// What [`Agent::inspect`](crate::Agent::inspect) says of its state.
    pub agent: serde_json::Value,
}

/// What the control plane can ask of an instance. Obeyed between two messages.
pub(crate) enum Command {
    /// End: after what is queued has been handled (until the host's deadline), or at once.
    Stop {
        drain: bool,
    },
    Pause,
    Resume,
    /// Rebuild the agent from its factory.
    Restart,
    Inspect(oneshot::Sender<Inspection>),
    /// A child gave up.
    ChildFailed(Arc<str>),
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stop { drain: true } => "Stop(drain)",
            Self::Stop { drain: false } => "Stop(now)",
            Self::Pause => "Pause",
            Self::Resume => "Resume",
            Self::Restart => "Restart",
            Self::Inspect(_) => "Inspect",
            Self::ChildFailed(_) => "ChildFailed",
        })
    }
}

/// The way commands reach an instance: through its actix actor, which only the host knows.
pub(crate) type CommandLine = Box<dyn Fn(Command) -> Result<(), Command> + Send + Sync>;

/// An instance can be found before the host has seated it, and after it has ended.
enum Line {
    /// Commands wait in the instance's own queue.
    NotYet,
    Connected(CommandLine),
    /// Given up with the instance: it would keep the actor's channel, and what is lost in it, alive.
    Ended,
}

/// The children of one incarnation.
#[derive(Default)]
struct Children {
    cells: Vec<Arc<dyn AnyCell>>,
    sweep_at: usize,
}

pub(crate) struct Instance {
    pub(crate) consumer: ConsumerId,
    /// The agent's name, with the instance's number in a pool.
    pub(crate) label: Arc<str>,
    pub(crate) waits: Waits,
    state: AtomicU8,
    line: Mutex<Line>,
    children: Mutex<Children>,
    pending: AtomicBool,
    attention: AtomicWaker,
    commands: Mutex<VecDeque<Command>>,
}

impl Instance {
    pub(crate) fn new(consumer: ConsumerId, label: Arc<str>) -> Self {
        Self {
            consumer,
            label,
            waits: Waits::default(),
            state: AtomicU8::new(AgentState::Starting as u8),
            line: Mutex::new(Line::NotYet),
            children: Mutex::default(),
            pending: AtomicBool::new(false),
            attention: AtomicWaker::new(),
            commands: Mutex::new(VecDeque::new()),
        }
    }

    pub(crate) fn state(&self) -> AgentState {
        const STATES: [AgentState; 7] = [
            AgentState::Starting,
            AgentState::Running,
            AgentState::Paused,
            AgentState::BackingOff,
            AgentState::Draining,
            AgentState::Stopped,
            AgentState::Failed,
        ];
        STATES[usize::from(self.state.load(Ordering::Acquire))]
    }

    pub(crate) fn set_state(&self, state: AgentState) {
        self.state.store(state as u8, Ordering::Release);
        if state.is_final() {
            // Nobody will obey these: dropping them tells whoever waits for an answer.
            let line = std::mem::replace(&mut *lock(&self.line), Line::Ended);
            let commands = std::mem::take(&mut *lock(&self.commands));
            drop((line, commands));
        }
    }

    pub(crate) fn connect(&self, line: CommandLine) {
        let mut place = lock(&self.line);
        // It may have ended already: its arbiter may be gone.
        if let Line::NotYet = *place {
            *place = Line::Connected(line);
        }
    }

    /// Sends a command on its way through the control plane.
    pub(crate) fn command(&self, command: Command) -> Result<(), Command> {
        let line = lock(&self.line);
        match &*line {
            Line::NotYet => {
                self.post(command);
                Ok(())
            }
            // Sent under the lock: nothing is sent to an actor whose line has been given up.
            Line::Connected(line) if !self.state().is_final() => line(command),
            Line::Connected(_) | Line::Ended => Err(command),
        }
    }

    /// Takes a child on, to be stopped with this incarnation.
    pub(crate) fn adopt(&self, cells: Vec<Arc<dyn AnyCell>>) {
        let mut children = lock(&self.children);
        if children.cells.len() >= children.sweep_at {
            // Swept when they have doubled, so that a parent whose children come and go stays small.
            children.cells.retain(|cell| !cell.has_ended());
            children.sweep_at = (children.cells.len() * 2).max(16);
        }
        children.cells.extend(cells);
    }

    pub(crate) fn take_children(&self) -> Vec<Arc<dyn AnyCell>> {
        std::mem::take(&mut lock(&self.children).cells)
    }

    /// The control plane hands a command to the instance's loop, and wakes it.
    pub(crate) fn post(&self, command: Command) {
        let mut commands = lock(&self.commands);
        if self.state().is_final() {
            return;
        }
        commands.push_back(command);
        self.pending.store(true, Ordering::SeqCst);
        drop(commands);
        self.attention.wake();
    }

    /// Wakes `waker` for the next command. Look for commands after this, not before.
    pub(crate) fn listen(&self, waker: &Waker) {
        self.attention.register(waker);
    }

    pub(crate) fn has_commands(&self) -> bool {
        self.pending.load(Ordering::SeqCst)
    }

    pub(crate) fn next_command(&self) -> Option<Command> {
        let mut commands = lock(&self.commands);
        let command = commands.pop_front();
        if commands.is_empty() {
            self.pending.store(false, Ordering::SeqCst);
        }
        command
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("label", &self.label)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
