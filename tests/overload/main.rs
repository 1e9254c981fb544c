//! An agent that is offered more than it can handle, in virtual time: the same every time.

mod account;
mod admission;
mod load;
mod urgency;
