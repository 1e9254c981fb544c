//! One instance of an agent: what others see of it, and the commands it is given.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32};
use std::task::Wake;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::cell::AnyCell;
use super::wait_graph::Waits;
use crate::mailbox::{ConsumerId, Sleeper};
use crate::message::Priority;
use crate::scheduler::Bell;
use crate::sync::{Arc, Mutex, Ordering, lock};
use crate::telemetry::{AgentState, Figures};

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
    /// Say so once an incarnation serves that began after what was commanded before.
    Serving(oneshot::Sender<()>),
    /// Leave the pool, if others stay.
    Leave,
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
            Self::Serving(_) => "Serving",
            Self::Leave => "Leave",
            Self::ChildFailed(_) => "ChildFailed",
        })
    }
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
    pub(crate) bell: Bell,
    pub(crate) figures: Figures,
    /// The arbiter it was seated on.
    arbiter: AtomicU32,
    state: AtomicU8,
    /// Whether there are commands.
    pending: AtomicBool,
    /// Told to leave its pool. Written under the lock of the cell's members.
    leaving: AtomicBool,
    commands: Mutex<VecDeque<Command>>,
    /// Made for the first child: most agents have none.
    children: Mutex<Option<Box<Children>>>,
}

impl Instance {
    pub(crate) fn new(consumer: ConsumerId, label: Arc<str>, latencies: bool) -> Self {
        Self {
            consumer,
            label,
            waits: Waits::default(),
            bell: Bell::default(),
            figures: Figures::new(latencies),
            arbiter: AtomicU32::new(0),
            state: AtomicU8::new(AgentState::Starting as u8),
            pending: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
            commands: Mutex::new(VecDeque::new()),
            children: Mutex::default(),
        }
    }

    /// The number of the arbiter that it lives on; 0 before it has one.
    pub(crate) fn arbiter(&self) -> u32 {
        self.arbiter.load(Ordering::Relaxed)
    }

    pub(crate) fn set_arbiter(&self, number: u32) {
        self.arbiter.store(number, Ordering::Relaxed);
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
            // Nobody will obey these: dropping them, after the lock, tells whoever waits for an answer.
            let commands = std::mem::take(&mut *lock(&self.commands));
            drop(commands);
        }
    }

    /// Whether it is to leave its pool.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    pub(super) fn set_leaving(&self, leaving: bool) {
        self.leaving.store(leaving, Ordering::Release);
    }

    /// Gives a command, to be obeyed between two messages. It comes back if the instance has ended.
    pub(crate) fn command(&self, command: Command) -> Result<(), Command> {
        let mut commands = lock(&self.commands);
        // Under the lock: what is queued before the end is dropped at the end, and nothing is queued after.
        if self.state().is_final() {
            return Err(command);
        }
        commands.push_back(command);
        self.pending.store(true, Ordering::SeqCst);
        drop(commands);
        // Whoever commands should not wait behind the agent's neighbours' bulk.
        self.bell.ring(Priority::Critical);
        Ok(())
    }

    /// Takes a child on, to be stopped with this incarnation.
    pub(crate) fn adopt(&self, cells: Vec<Arc<dyn AnyCell>>) {
        let mut children = lock(&self.children);
        let children = children.get_or_insert_default();
        if children.cells.len() >= children.sweep_at {
            // Swept when they have doubled, so that a parent whose children come and go stays small.
            children.cells.retain(|cell| !cell.has_ended());
            children.sweep_at = (children.cells.len() * 2).max(16);
        }
        children.cells.extend(cells);
    }

    pub(crate) fn take_children(&self) -> Vec<Arc<dyn AnyCell>> {
        lock(&self.children).take().map(|children| children.cells).unwrap_or_default()
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

impl Sleeper for Arc<Instance> {
    fn wake_for(self, priority: Priority) {
        self.bell.ring(priority);
    }

    fn hurry(&self, priority: Priority) -> bool {
        self.bell.hurry(priority)
    }

    fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(self, other)
    }
}

/// Woken by whatever its handler waits for, it goes on as urgently as what it handles.
impl Wake for Instance {
    fn wake(self: Arc<Self>) {
        self.bell.ring_to_go_on();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.bell.ring_to_go_on();
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
