//! The table.

use statim::store::Migration;

// The triggers stop slips and plain mischief. Whoever can write to the file can also drop them, and that is what the
// chain of hashes is for. The one on INSERT also stops INSERT OR REPLACE, which deletes without a DELETE.
pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "events",
    sqlite: "
        CREATE TABLE consent_events (
            seq INTEGER PRIMARY KEY,
            patient TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('grant', 'revoke', 'import', 'decision')),
            provision TEXT,
            at INTEGER NOT NULL,
            body TEXT NOT NULL,
            prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
            hash BLOB NOT NULL CHECK (length(hash) = 32)
        ) STRICT;
        CREATE INDEX consent_events_patient ON consent_events (patient, seq);
        CREATE INDEX consent_events_changes ON consent_events (seq) WHERE kind <> 'decision';
        CREATE TRIGGER consent_events_no_update BEFORE UPDATE ON consent_events
        BEGIN SELECT raise(ABORT, 'the consent ledger is append-only'); END;
        CREATE TRIGGER consent_events_no_delete BEFORE DELETE ON consent_events
        BEGIN SELECT raise(ABORT, 'the consent ledger is append-only'); END;
        CREATE TRIGGER consent_events_in_order BEFORE INSERT ON consent_events
        WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM consent_events)
        BEGIN SELECT raise(ABORT, 'the consent ledger is append-only'); END;
    ",
    postgres: "
        CREATE TABLE consent_events (
            seq BIGINT PRIMARY KEY,
            patient TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('grant', 'revoke', 'import', 'decision')),
            provision TEXT,
            at BIGINT NOT NULL,
            body TEXT NOT NULL,
            prev_hash BYTEA NOT NULL CHECK (length(prev_hash) = 32),
            hash BYTEA NOT NULL CHECK (length(hash) = 32)
        );
        CREATE INDEX consent_events_patient ON consent_events (patient, seq);
        CREATE INDEX consent_events_changes ON consent_events (seq) WHERE kind <> 'decision';
        CREATE FUNCTION consent_events_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the consent ledger is append-only'; END $$;
        CREATE FUNCTION consent_events_check_order() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.seq IS DISTINCT FROM (SELECT coalesce(max(seq), 0) + 1 FROM consent_events) THEN
                RAISE EXCEPTION 'the consent ledger is append-only';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER consent_events_no_update BEFORE UPDATE ON consent_events
        FOR EACH ROW EXECUTE FUNCTION consent_events_refuse();
        CREATE TRIGGER consent_events_no_delete BEFORE DELETE ON consent_events
        FOR EACH ROW EXECUTE FUNCTION consent_events_refuse();
        CREATE TRIGGER consent_events_no_truncate BEFORE TRUNCATE ON consent_events
        FOR EACH STATEMENT EXECUTE FUNCTION consent_events_refuse();
        CREATE TRIGGER consent_events_in_order BEFORE INSERT ON consent_events
        FOR EACH ROW EXECUTE FUNCTION consent_events_check_order();
    ",
}];
