//! Guards on the link between two agents, behaviour by behaviour.

mod account;
mod asks;
mod events;
mod names;
mod outside;
mod support;
mod tells;
mod urgent;
