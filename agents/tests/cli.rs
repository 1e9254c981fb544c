//! The binary `statim`, as a shell sees it: exit status, standard output, standard error.

#[path = "cli/alerts.rs"]
mod alerts;
#[path = "cli/configuration.rs"]
mod configuration;
#[path = "cli/consent.rs"]
mod consent;
#[path = "cli/dead_letters.rs"]
mod dead_letters;
#[path = "cli/generate.rs"]
mod generate;
#[path = "cli/load.rs"]
mod load;
#[path = "cli/shell.rs"]
mod shell;
#[path = "cli/usage.rs"]
mod usage;
