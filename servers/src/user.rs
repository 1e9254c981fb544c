//! Whom a server runs as.

use std::process::Command;

use crate::error::ServerError;

/// A user other than root.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// Whom to become to run what refuses to run as root; `None` when we are not root.
    pub(crate) fn to_become() -> Result<Option<Self>, ServerError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        match ["postgres", "nobody"].into_iter().find_map(Self::named) {
            Some(user) => Ok(Some(user)),
            None => Err(ServerError::NoUser { tried: "postgres or nobody" }),
        }
    }

    fn named(name: &str) -> Option<Self> {
        let id = |flag: &str| -> Option<u32> {
            let output = Command::new("id").args([flag, name]).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        Some(Self { uid: id("-u")?, gid: id("-g")? })
    }
}
