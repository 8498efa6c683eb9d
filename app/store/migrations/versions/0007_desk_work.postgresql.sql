ALTER TABLE concerns ADD COLUMN assigned_to TEXT COLLATE "C" DEFAULT '' NOT NULL

ALTER TABLE concerns ADD COLUMN changed_at TIMESTAMP WITH TIME ZONE

UPDATE concerns SET changed_at = coalesce((SELECT at FROM disclosures WHERE chain = concerns.reference AND act IN ('received', 'added', 'noted', 'acknowledged', 'closed', 'held', 'released', 'erased', 'assigned', 'unassigned') ORDER BY number DESC LIMIT 1), received_at)

CREATE OR REPLACE FUNCTION concerns_change_with_their_disclosure() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.state <> OLD.state AND NEW.state <> coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') OR NEW.held AND NOT OLD.held AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'held' OR OLD.held AND NOT NEW.held AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'released' OR (NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'acknowledged' OR (NEW.closed_at IS DISTINCT FROM OLD.closed_at OR NEW.outcome IS DISTINCT FROM OLD.outcome OR NEW.outcome_shared IS DISTINCT FROM OLD.outcome_shared) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'closed' OR (NEW.erased_at IS DISTINCT FROM OLD.erased_at) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR (NEW.added_at IS DISTINCT FROM OLD.added_at OR NEW.immediate_danger IS DISTINCT FROM OLD.immediate_danger) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'added' OR (NEW.sealed IS NULL AND OLD.sealed IS NOT NULL) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR (NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed OR CAST(NEW.recipients AS TEXT) IS DISTINCT FROM CAST(OLD.recipients AS TEXT)) AND (OLD.sealed IS NULL OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'resealed') OR NEW.assigned_to <> OLD.assigned_to AND NEW.assigned_to IS DISTINCT FROM (SELECT CASE act WHEN 'assigned' THEN detail WHEN 'unassigned' THEN '' END FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1) OR NEW.changed_at IS DISTINCT FROM OLD.changed_at AND NEW.changed_at IS DISTINCT FROM (SELECT at FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1) THEN RAISE EXCEPTION 'a concern changes only with its disclosure' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE INDEX ix_concerns_guide_urgency ON concerns (guide, waiting, danger, due, reference)

CREATE INDEX ix_concerns_danger_urgency ON concerns (immediate_danger, waiting, danger, due, reference)

CREATE INDEX ix_concerns_closed ON concerns (closed_at)

CREATE INDEX ix_concerns_acknowledged ON concerns (acknowledged_at)

CREATE INDEX ix_concerns_changed ON concerns (changed_at, reference)

CREATE INDEX ix_concerns_assigned_urgency ON concerns (assigned_to, waiting, danger, due, reference)

CREATE TABLE notes (
    reference TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    recipients JSON NOT NULL,
    sealed BYTEA,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    CONSTRAINT pk_notes PRIMARY KEY (reference, number),
    CONSTRAINT fk_notes_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE FUNCTION notes_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a note is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER notes_are_never_deleted BEFORE DELETE ON notes FOR EACH ROW EXECUTE FUNCTION notes_are_never_deleted()

CREATE FUNCTION notes_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a note is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER notes_are_never_emptied BEFORE TRUNCATE ON notes FOR EACH STATEMENT EXECUTE FUNCTION notes_are_never_emptied()

CREATE FUNCTION notes_are_written_on_the_record() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'noted' THEN RAISE EXCEPTION 'a note is written on the record' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER notes_are_written_on_the_record BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION notes_are_written_on_the_record()

CREATE FUNCTION notes_keep_what_they_are() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.reference IS DISTINCT FROM OLD.reference OR NEW.number IS DISTINCT FROM OLD.number OR NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.author IS DISTINCT FROM OLD.author THEN RAISE EXCEPTION 'a note keeps its number, its time and its author' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER notes_keep_what_they_are BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION notes_keep_what_they_are()

CREATE FUNCTION notes_stay_with_their_concern() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT)) AND EXISTS (SELECT 1 FROM concerns WHERE reference = OLD.reference AND (state = 'received' OR held)) THEN RAISE EXCEPTION 'a note whose concern is not acknowledged, or is on hold, is not erased' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER notes_stay_with_their_concern BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION notes_stay_with_their_concern()

CREATE FUNCTION notes_change_with_their_disclosure() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (NEW.sealed IS NULL AND OLD.sealed IS NOT NULL) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR (NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed OR CAST(NEW.recipients AS TEXT) IS DISTINCT FROM CAST(OLD.recipients AS TEXT)) AND (OLD.sealed IS NULL OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'resealed') THEN RAISE EXCEPTION 'a note changes only with its disclosure' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER notes_change_with_their_disclosure BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION notes_change_with_their_disclosure()

CREATE TABLE saved_views (
    person TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    filters JSON NOT NULL,
    saved_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_saved_views PRIMARY KEY (person, name)
)
