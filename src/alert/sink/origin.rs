//! Who speaks.

/// Which deployment tells of its alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its name, by which whoever is called knows where to look. Default: `statim`.
    pub name: String,
    /// A page about it, if there is one. Default: none.
    pub url: Option<String>,
}

impl Default for Origin {
    fn default() -> Self {
        Self { name: "statim".to_owned(), url: None }
    }
}
