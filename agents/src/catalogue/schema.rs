//! The tables.

use statim::store::{LockId, Migration};

// `record_versions` holds the bodies; `records` says which of them is current (none: deleted). Both are keyed by what the
// record arrived as (`own_id`) and what it belongs to (`id`): the same but for obsolete study numbers.
pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "records, history, identifiers, quarantine",
    sqlite: "
        CREATE TABLE sources (
            source INTEGER PRIMARY KEY,
            file TEXT NOT NULL,
            member TEXT NOT NULL,
            UNIQUE (file, member)
        ) STRICT;
        CREATE TABLE record_versions (
            vid INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            own_id TEXT NOT NULL,
            hash BLOB NOT NULL,
            revision TEXT NOT NULL,
            number INTEGER NOT NULL,
            first_source INTEGER NOT NULL,
            first_index INTEGER NOT NULL,
            last_source INTEGER NOT NULL,
            last_index INTEGER NOT NULL,
            body TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX record_versions_content ON record_versions (kind, own_id, hash);
        CREATE TABLE records (
            kind TEXT NOT NULL,
            id TEXT NOT NULL,
            vid INTEGER,
            PRIMARY KEY (kind, id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE tombstones (
            kind TEXT NOT NULL,
            id TEXT NOT NULL,
            number INTEGER NOT NULL,
            source INTEGER NOT NULL,
            at_index INTEGER NOT NULL,
            PRIMARY KEY (kind, id, number)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE claims (
            kind TEXT NOT NULL,
            alias TEXT NOT NULL,
            id TEXT NOT NULL,
            PRIMARY KEY (kind, alias, id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX claims_by_id ON claims (kind, id);
        CREATE TABLE identifiers (
            kind TEXT NOT NULL,
            scheme TEXT NOT NULL,
            value TEXT NOT NULL,
            id TEXT NOT NULL,
            evidence TEXT NOT NULL,
            PRIMARY KEY (kind, scheme, value, id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX identifiers_of_record ON identifiers (kind, id);
        CREATE TABLE quarantine (
            file TEXT NOT NULL,
            member TEXT NOT NULL,
            position INTEGER NOT NULL,
            path TEXT NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (file, member, position, path, reason)
        ) STRICT, WITHOUT ROWID;
    ",
    // Text is compared by its bytes, as SQLite does it.
    postgres: r#"
        CREATE TABLE sources (
            source BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            file TEXT COLLATE "C" NOT NULL,
            member TEXT COLLATE "C" NOT NULL,
            UNIQUE (file, member)
        );
        CREATE TABLE record_versions (
            vid BIGINT PRIMARY KEY,
            kind TEXT COLLATE "C" NOT NULL,
            own_id TEXT COLLATE "C" NOT NULL,
            hash BYTEA NOT NULL,
            revision TEXT COLLATE "C" NOT NULL,
            number BIGINT NOT NULL,
            first_source BIGINT NOT NULL,
            first_index BIGINT NOT NULL,
            last_source BIGINT NOT NULL,
            last_index BIGINT NOT NULL,
            body TEXT NOT NULL
        );
        CREATE UNIQUE INDEX record_versions_content ON record_versions (kind, own_id, hash);
        CREATE TABLE records (
            kind TEXT COLLATE "C" NOT NULL,
            id TEXT COLLATE "C" NOT NULL,
            vid BIGINT,
            PRIMARY KEY (kind, id)
        );
        CREATE TABLE tombstones (
            kind TEXT COLLATE "C" NOT NULL,
            id TEXT COLLATE "C" NOT NULL,
            number BIGINT NOT NULL,
            source BIGINT NOT NULL,
            at_index BIGINT NOT NULL,
            PRIMARY KEY (kind, id, number)
        );
        CREATE TABLE claims (
            kind TEXT COLLATE "C" NOT NULL,
            alias TEXT COLLATE "C" NOT NULL,
            id TEXT COLLATE "C" NOT NULL,
            PRIMARY KEY (kind, alias, id)
        );
        CREATE INDEX claims_by_id ON claims (kind, id);
        CREATE TABLE identifiers (
            kind TEXT COLLATE "C" NOT NULL,
            scheme TEXT COLLATE "C" NOT NULL,
            value TEXT COLLATE "C" NOT NULL,
            id TEXT COLLATE "C" NOT NULL,
            evidence TEXT COLLATE "C" NOT NULL,
            PRIMARY KEY (kind, scheme, value, id)
        );
        CREATE INDEX identifiers_of_record ON identifiers (kind, id);
        CREATE TABLE quarantine (
            file TEXT COLLATE "C" NOT NULL,
            member TEXT COLLATE "C" NOT NULL,
            position BIGINT NOT NULL,
            path TEXT COLLATE "C" NOT NULL,
            reason TEXT COLLATE "C" NOT NULL,
            PRIMARY KEY (file, member, position, path, reason)
        );
    "#,
}];

/// What excludes the catalogues of other processes from writing at the same time, where the database does not: a batch is
/// worked out from what was there before.
pub(super) fn turn() -> LockId {
    LockId::named("statim catalogue")
}

/// A join with the ids of a JSON array, the first parameter: `w.value` is one of them. SQLite goes through the ids in
/// their order; PostgreSQL decides for itself.
macro_rules! for_each_id {
    ($dialect:expr, $before:literal, $after:literal) => {
        $dialect.choose(
            concat!($before, " json_each($1) AS w CROSS JOIN ", $after),
            concat!($before, " json_array_elements_text($1::json) AS w (value) JOIN ", $after),
        )
    };
}
pub(super) use for_each_id;
