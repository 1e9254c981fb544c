//! The binary `statim`.

use std::process::ExitCode;

fn main() -> ExitCode {
    statim_agents::cli::main()
}
