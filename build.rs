//! Tells the library what compiler builds it: figures are reported with it.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=RUSTC");
    let version = env::var_os("RUSTC")
        .and_then(|rustc| Command::new(rustc).arg("--version").output().ok())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .filter(|version| !version.trim().is_empty());
    println!("cargo:rustc-env=STATIM_RUSTC={}", version.as_deref().map_or("rustc unknown", str::trim));
}
