//! The load report as a page: what is on it, that nothing from outside gets out of its place, and that a browser opens it
//! without a complaint and without a network.

mod hostile;
mod in_a_browser;
mod markup;
mod sample;
mod sections;
mod size;
