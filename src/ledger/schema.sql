-- Times are Unix milliseconds. What only one database says otherwise is in store/sqlite.sql and store/postgres.sql.
CREATE TABLE persons (person TEXT PRIMARY KEY, created BIGINT NOT NULL, merged_into TEXT, number BIGINT NOT NULL UNIQUE, change BIGINT NOT NULL);
CREATE INDEX persons_change ON persons (change);
CREATE INDEX persons_merged ON persons (merged_into);
CREATE TABLE person_keys (kind TEXT NOT NULL, key TEXT NOT NULL, key_id TEXT NOT NULL, person TEXT NOT NULL, shared BIGINT NOT NULL, change BIGINT NOT NULL, PRIMARY KEY (kind, key));
CREATE INDEX person_keys_change ON person_keys (change);
CREATE INDEX person_keys_person ON person_keys (person);
CREATE TABLE ledger (seq BIGINT PRIMARY KEY, id TEXT NOT NULL UNIQUE, person TEXT NOT NULL, purpose TEXT NOT NULL, kind TEXT NOT NULL, at BIGINT NOT NULL, recorded BIGINT NOT NULL,
  basis TEXT, proof TEXT NOT NULL, source TEXT NOT NULL, by_kind TEXT NOT NULL, by_id TEXT NOT NULL, text_id TEXT, text_version TEXT, text_sha256 TEXT,
  language TEXT, expires BIGINT, recipient TEXT, replaces TEXT, reference TEXT UNIQUE, prev TEXT NOT NULL, hash TEXT NOT NULL);
CREATE INDEX ledger_person ON ledger (person, seq);
CREATE TABLE links (sha256 TEXT PRIMARY KEY, use TEXT NOT NULL, person TEXT NOT NULL, event TEXT, purpose TEXT NOT NULL, key_id TEXT NOT NULL, expires BIGINT NOT NULL, used BIGINT);
CREATE INDEX links_expires ON links (expires);
CREATE INDEX links_person ON links (person);
CREATE TABLE outbox (id TEXT PRIMARY KEY, sink TEXT NOT NULL, sealed BYTES NOT NULL, due BIGINT NOT NULL, tries BIGINT NOT NULL, since BIGINT NOT NULL);
CREATE INDEX outbox_due ON outbox (sink, due);
CREATE TABLE ledger_counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
INSERT INTO ledger_counters (name, value) VALUES ('form', 2), ('seq', 0), ('change', 0), ('number', 0);
