//! Sends messages when they are to be sent, and never later because an answer is late.
//!
//! [`Arrivals`] and [`Users`] say what is to be sent when, a [`Sender`] sends it and looks after what is under way in its
//! [`Flights`], and one of two drivers gives it time: [`threads`] for measuring, [`in_place`] for virtual time.

mod arrivals;
mod draw;
mod flights;
pub(super) mod in_place;
mod schedule;
mod sender;
mod shared;
pub(super) mod threads;
mod timeline;
mod users;

#[cfg(test)]
mod tests;

pub(super) use self::arrivals::Arrivals;
pub(super) use self::draw::Mix;
pub(super) use self::schedule::{Phase, Schedule};
pub(super) use self::sender::{Sender, Source};
pub(super) use self::shared::{Origin, Shared};
pub(super) use self::timeline::{Moment, Timeline};
pub(super) use self::users::Users;
