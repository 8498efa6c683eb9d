ALTER TABLE chains ADD COLUMN logged INTEGER DEFAULT 0 NOT NULL

CREATE OR REPLACE FUNCTION chains_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name <> OLD.name OR NEW.logged > NEW.length OR NOT (NEW.length = OLD.length + 1 AND NEW.logged >= OLD.logged OR NEW.length = OLD.length AND NEW.head_sha256 = OLD.head_sha256 AND NEW.logged > OLD.logged) THEN RAISE EXCEPTION 'a chain of disclosures grows by one' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

UPDATE chains SET logged = length

CREATE INDEX ix_chains_unlogged ON chains (name) WHERE logged < length

CREATE FUNCTION events_are_announced() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1804127731, (last_value - (NOT is_called)::int)::int) FROM events_id_seq; RETURN NULL; END $$

CREATE TRIGGER events_are_announced BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION events_are_announced()
