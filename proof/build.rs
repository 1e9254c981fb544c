//! Chooses the primitives behind `crate::sync`. By configuration flags of our own, set for this one package: a flag for
//! the whole build would recompile every dependency, and `--cfg loom` means something to Tokio.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for checker in ["loom", "shuttle"] {
        if std::env::var_os(format!("CARGO_FEATURE_{}", checker.to_uppercase())).is_some() {
            println!("cargo::rustc-cfg=statim_{checker}");
        }
    }
}
