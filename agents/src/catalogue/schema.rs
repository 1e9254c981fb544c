//! The tables.

use statim::store::Migration;

// `record_versions` holds the bodies; `records` says which of them is current (none: deleted). Both are keyed by what the
// record arrived as (`own_id`) and what it belongs to (`id`): the same but for obsolete study numbers.
pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "records, history, identifiers, quarantine",
    sql: "
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
}];
