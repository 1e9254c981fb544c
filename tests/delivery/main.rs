//! Durable delivery on real databases: SQLite in a file, PostgreSQL started for the tests.
//!
//! Every behaviour is checked on both; see `on_both!`.

mod bench_of_databases;
mod crash;
mod dead_letters;
mod delivering;
mod failing_databases;
mod transactions;
mod ward;
