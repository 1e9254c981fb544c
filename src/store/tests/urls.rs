//! What URLs are understood, and that none is repeated with its password.

use super::*;

#[tokio::test]
async fn another_kind_of_database_is_refused_honestly_and_no_password_is_repeated() {
    for url in [
        "postgres://ann:hunter2@127.0.0.1:1/x",
        "postgresql://ann:hunter2@127.0.0.1:1/x",
        "postgres://ann:hunter2@127.0.0.1:1/x?sslmode=hunter2",
        "postgres://127.0.0.1:1/x?user=ann&password=hunter2",
        "postgres://127.0.0.1:1/x?passwort=hunter2",
        "postgres://ann:hunter2@127.0.0.1:hunter2/x",
        "postgres://ann:hunter2",
        "postgres:hunter2",
        "postgres://ann:hunter2@db.invalid/x",
        "mysql://ann:hunter2@db/x",
        "ann:hunter2@db",
        "hunter2",
        "sqlite://",
        "sqlite://ann:hunter2@db/x?password=hunter2",
        "sqlite://%ff?mode=rwc&hunter2",
        "sqlite:///proc/hunter/ann:hunter2@x",
    ] {
        let error = Store::open(url).await.expect_err("refused");
        let mut said = format!("{error} {error:?}");
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            said += &format!(" {error} {error:?}");
            cause = error.source();
        }
        assert!(!said.contains("hunter2"), "{said}");
    }
    let said = Store::open("mysql://ann:hunter2@db/x").await.expect_err("refused").to_string();
    assert!(said.contains("mysql") && said.contains("neither SQLite nor PostgreSQL"), "{said}");
}

#[test]
fn a_sibling_is_a_neighbouring_file() {
    for (url, sibling) in [
        ("sqlite://var/statim.db", "sqlite://var/statim.consent.db"),
        ("sqlite:statim.db", "sqlite:statim.consent.db"),
        ("sqlite:///v.1/statim", "sqlite:///v.1/statim.consent"),
        ("sqlite://.hidden", "sqlite://.hidden.consent"),
        ("sqlite://a.b.db?mode=rwc", "sqlite://a.b.consent.db?mode=rwc"),
        ("sqlite::memory:", "sqlite::memory:"),
        ("sqlite://shared?mode=memory", "sqlite://shared.consent?mode=memory"),
    ] {
        assert_eq!(sibling_url(url, "consent").as_deref(), Ok(sibling));
    }
    let same = "postgres://ann@db/x?application_name=a";
    assert_eq!(sibling_url(same, "consent").as_deref(), Ok(same));
    assert!(sibling_url("mysql://db", "consent").is_err());
}
