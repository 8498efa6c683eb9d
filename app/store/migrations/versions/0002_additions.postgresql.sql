ALTER TABLE concerns DROP COLUMN waiting

ALTER TABLE concerns DROP COLUMN danger

ALTER TABLE concerns ADD COLUMN additions_waiting INTEGER DEFAULT 0 NOT NULL

ALTER TABLE concerns ADD COLUMN addition_acknowledge_by TIMESTAMP WITH TIME ZONE

ALTER TABLE concerns ADD COLUMN addition_danger TEXT COLLATE "C"

ALTER TABLE concerns ADD COLUMN waiting INTEGER GENERATED ALWAYS AS (CASE WHEN state = 'received' OR additions_waiting > 0 THEN 0 ELSE 1 END) STORED

ALTER TABLE concerns ADD COLUMN danger INTEGER GENERATED ALWAYS AS (CASE WHEN addition_danger = 'yes' THEN 0 WHEN immediate_danger = 'yes' THEN 1 WHEN immediate_danger = 'not_sure' THEN 2 ELSE 3 END) STORED

ALTER TABLE concerns ADD COLUMN due TIMESTAMP WITH TIME ZONE GENERATED ALWAYS AS (CASE WHEN state = 'received' THEN acknowledge_by ELSE COALESCE(addition_acknowledge_by, acknowledge_by) END) STORED

CREATE INDEX ix_concerns_state_urgency ON concerns (state, waiting, danger, due, reference)

CREATE INDEX ix_concerns_urgency ON concerns (waiting, danger, due, reference)

ALTER TABLE additions ADD COLUMN acknowledge_by TIMESTAMP WITH TIME ZONE

ALTER TABLE additions ADD COLUMN immediate_danger TEXT COLLATE "C"

ALTER TABLE additions ADD COLUMN acknowledged_at TIMESTAMP WITH TIME ZONE

ALTER TABLE additions ADD COLUMN overdue_announced BOOLEAN NOT NULL DEFAULT FALSE

ALTER TABLE additions ALTER COLUMN overdue_announced DROP DEFAULT

UPDATE additions SET
    acknowledge_by = received_at + interval '1 day',
    acknowledged_at = (SELECT min(at) FROM disclosures WHERE chain = additions.reference AND act IN ('acknowledged', 'closed') AND at > additions.received_at)

ALTER TABLE additions ALTER COLUMN acknowledge_by SET NOT NULL

CREATE INDEX ix_additions_waiting ON additions (acknowledge_by) WHERE acknowledged_at IS NULL AND sealed IS NOT NULL

UPDATE concerns SET
    additions_waiting = (SELECT count(*) FROM additions WHERE reference = concerns.reference AND acknowledged_at IS NULL AND sealed IS NOT NULL),
    addition_acknowledge_by = (SELECT min(acknowledge_by) FROM additions WHERE reference = concerns.reference AND acknowledged_at IS NULL AND sealed IS NOT NULL)
WHERE added_at IS NOT NULL

CREATE FUNCTION concerns_keep_what_was_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (NEW.erased_at IS DISTINCT FROM OLD.erased_at OR NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT))) AND EXISTS (SELECT 1 FROM additions WHERE reference = OLD.reference AND acknowledged_at IS NULL AND sealed IS NOT NULL) THEN RAISE EXCEPTION 'a concern is not erased while something added to it is not acknowledged' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER concerns_keep_what_was_added BEFORE UPDATE ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_keep_what_was_added()

CREATE OR REPLACE FUNCTION additions_keep_what_nobody_acknowledged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT)) AND (OLD.acknowledged_at IS NULL OR EXISTS (SELECT 1 FROM concerns WHERE reference = OLD.reference AND (state = 'received' OR held))) THEN RAISE EXCEPTION 'an addition that is not acknowledged, or whose concern is on hold, is not erased' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE FUNCTION additions_keep_what_they_are() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.reference IS DISTINCT FROM OLD.reference OR NEW.number IS DISTINCT FROM OLD.number OR NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.acknowledge_by IS DISTINCT FROM OLD.acknowledge_by OR NEW.immediate_danger IS DISTINCT FROM OLD.immediate_danger THEN RAISE EXCEPTION 'an addition keeps its number and its times' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER additions_keep_what_they_are BEFORE UPDATE ON additions FOR EACH ROW EXECUTE FUNCTION additions_keep_what_they_are()

CREATE FUNCTION additions_come_unacknowledged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.acknowledged_at IS NOT NULL THEN RAISE EXCEPTION 'an addition is acknowledged once, and on the record' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER additions_come_unacknowledged BEFORE INSERT ON additions FOR EACH ROW EXECUTE FUNCTION additions_come_unacknowledged()

CREATE FUNCTION additions_are_acknowledged_on_the_record() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at AND (OLD.acknowledged_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM disclosures WHERE chain = OLD.reference AND act = 'acknowledged' AND at = NEW.acknowledged_at)) THEN RAISE EXCEPTION 'an addition is acknowledged once, and on the record' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER additions_are_acknowledged_on_the_record BEFORE UPDATE ON additions FOR EACH ROW EXECUTE FUNCTION additions_are_acknowledged_on_the_record()
