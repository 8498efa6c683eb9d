ALTER TABLE chains ADD COLUMN logged INTEGER DEFAULT 0 NOT NULL

DROP TRIGGER chains_only_grow

UPDATE chains SET logged = length

CREATE TRIGGER chains_only_grow BEFORE UPDATE ON chains WHEN NEW.name <> OLD.name OR NEW.logged > NEW.length OR NOT (NEW.length = OLD.length + 1 AND NEW.logged >= OLD.logged OR NEW.length = OLD.length AND NEW.head_sha256 = OLD.head_sha256 AND NEW.logged > OLD.logged) BEGIN SELECT RAISE(ABORT, 'a chain of disclosures grows by one'); END

CREATE INDEX ix_chains_unlogged ON chains (name) WHERE logged < length
