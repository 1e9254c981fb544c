//! A small deployment under a real load, with one bottleneck planted at a time: the report has to name that one first.

mod deployment;
mod planted;
mod run;
