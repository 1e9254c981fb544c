//! The clients, each against a strict stand-in for its service; Alertmanager's also against the real one.

mod accepted;
mod alertmanager;
mod callbacks;
mod faults;
mod hostile;
mod partly;
mod proxy;
mod secrets;
mod support;
mod tls;
