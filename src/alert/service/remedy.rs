//! What is done besides telling somebody.

use std::fmt::Debug;
use std::pin::Pin;

use crate::alert::action::Action;
use crate::alert::event::Alert;
use crate::alert::time::Moment;

/// What a [`Remedy`] returns.
pub type Remedying<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Does what rules want done besides telling somebody: their actions other than [`Action::Notify`].
///
/// Each is called once the state that it follows from is stored, one call at a time, on the service's thread: whatever
/// blocks belongs elsewhere. What it did not get to do before a crash is not done afterwards; [`fired`](Self::fired) is
/// called again while the alert goes on firing.
pub trait Remedy: Debug + Send + Sync + 'static {
    /// The alert fires, or goes on firing: said when it begins and at every
    /// [`resend`](crate::alert::EngineOptions::resend). The limits in the action are for it to keep.
    fn fired<'a>(&'a self, alert: &'a Alert, action: &'a Action, now: Moment) -> Remedying<'a>;

    /// The alert is over.
    fn resolved<'a>(&'a self, alert: &'a Alert, action: &'a Action, now: Moment) -> Remedying<'a>;
}
