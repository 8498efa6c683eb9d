CREATE TABLE log_entries (
    number SERIAL NOT NULL,
    chain TEXT COLLATE "C" NOT NULL,
    place INTEGER NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    CONSTRAINT pk_log_entries PRIMARY KEY (number)
)

CREATE FUNCTION log_entries_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'an entry of the log never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER log_entries_are_never_altered BEFORE UPDATE ON log_entries FOR EACH ROW EXECUTE FUNCTION log_entries_are_never_altered()

CREATE FUNCTION log_entries_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'an entry of the log never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER log_entries_are_never_deleted BEFORE DELETE ON log_entries FOR EACH ROW EXECUTE FUNCTION log_entries_are_never_deleted()

CREATE FUNCTION log_entries_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'an entry of the log never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER log_entries_are_never_emptied BEFORE TRUNCATE ON log_entries FOR EACH STATEMENT EXECUTE FUNCTION log_entries_are_never_emptied()

CREATE TABLE checkpoints (
    number SERIAL NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    size INTEGER NOT NULL,
    root_sha256 TEXT COLLATE "C" NOT NULL,
    frontier JSON NOT NULL,
    note TEXT COLLATE "C" NOT NULL,
    timestamp TEXT COLLATE "C",
    CONSTRAINT pk_checkpoints PRIMARY KEY (number)
)

CREATE FUNCTION checkpoints_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a checkpoint never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER checkpoints_are_never_altered BEFORE UPDATE ON checkpoints FOR EACH ROW EXECUTE FUNCTION checkpoints_are_never_altered()

CREATE FUNCTION checkpoints_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a checkpoint never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER checkpoints_are_never_deleted BEFORE DELETE ON checkpoints FOR EACH ROW EXECUTE FUNCTION checkpoints_are_never_deleted()

CREATE FUNCTION checkpoints_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a checkpoint never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER checkpoints_are_never_emptied BEFORE TRUNCATE ON checkpoints FOR EACH STATEMENT EXECUTE FUNCTION checkpoints_are_never_emptied()

CREATE FUNCTION events_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'an event is never altered' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER events_are_never_altered BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION events_are_never_altered()

CREATE FUNCTION events_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'an event is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION events_are_never_deleted()

CREATE FUNCTION events_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'an event is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER events_are_never_emptied BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION events_are_never_emptied()

CREATE FUNCTION event_readers_never_go_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.client <> OLD.client OR (NEW.confirmed < OLD.confirmed AND OLD.confirmed <= (SELECT coalesce(max(id), 0) FROM events)) THEN RAISE EXCEPTION 'an event stays confirmed' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER event_readers_never_go_back BEFORE UPDATE ON event_readers FOR EACH ROW EXECUTE FUNCTION event_readers_never_go_back()

CREATE FUNCTION deliveries_keep_their_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.event_id IS DISTINCT FROM OLD.event_id OR NEW.webhook IS DISTINCT FROM OLD.webhook OR NEW.message IS DISTINCT FROM OLD.message THEN RAISE EXCEPTION 'a delivery keeps its event' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER deliveries_keep_their_event BEFORE UPDATE ON deliveries FOR EACH ROW EXECUTE FUNCTION deliveries_keep_their_event()

CREATE FUNCTION concerns_keep_what_was_received() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.acknowledge_by IS DISTINCT FROM OLD.acknowledge_by OR NEW.guide IS DISTINCT FROM OLD.guide OR NEW.edition IS DISTINCT FROM OLD.edition OR NEW.referral_source IS DISTINCT FROM OLD.referral_source OR NEW.form_version IS DISTINCT FROM OLD.form_version OR NEW.status_token_sha256 IS DISTINCT FROM OLD.status_token_sha256 OR OLD.acknowledged_at IS NOT NULL AND NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at OR OLD.closed_at IS NOT NULL AND NEW.closed_at IS DISTINCT FROM OLD.closed_at OR OLD.erased_at IS NOT NULL AND NEW.erased_at IS DISTINCT FROM OLD.erased_at OR OLD.outcome IS NOT NULL AND NEW.outcome IS DISTINCT FROM OLD.outcome OR (CASE NEW.immediate_danger WHEN 'yes' THEN 2 WHEN 'not_sure' THEN 1 ELSE 0 END < CASE OLD.immediate_danger WHEN 'yes' THEN 2 WHEN 'not_sure' THEN 1 ELSE 0 END) THEN RAISE EXCEPTION 'what was received is never altered' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER concerns_keep_what_was_received BEFORE UPDATE ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_keep_what_was_received()

CREATE FUNCTION concerns_change_with_their_disclosure() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.state <> OLD.state AND NEW.state <> coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') OR NEW.held AND NOT OLD.held AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'held' OR OLD.held AND NOT NEW.held AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'released' OR (NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'acknowledged' OR (NEW.closed_at IS DISTINCT FROM OLD.closed_at OR NEW.outcome IS DISTINCT FROM OLD.outcome OR NEW.outcome_shared IS DISTINCT FROM OLD.outcome_shared) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'closed' OR (NEW.erased_at IS DISTINCT FROM OLD.erased_at) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR (NEW.added_at IS DISTINCT FROM OLD.added_at OR NEW.immediate_danger IS DISTINCT FROM OLD.immediate_danger) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'added' OR (NEW.sealed IS NULL AND OLD.sealed IS NOT NULL) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR (NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed OR CAST(NEW.recipients AS TEXT) IS DISTINCT FROM CAST(OLD.recipients AS TEXT)) AND (OLD.sealed IS NULL OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'resealed') THEN RAISE EXCEPTION 'a concern changes only with its disclosure' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER concerns_change_with_their_disclosure BEFORE UPDATE ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_change_with_their_disclosure()

CREATE FUNCTION additions_change_with_their_disclosure() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (NEW.sealed IS NULL AND OLD.sealed IS NOT NULL) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR (NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed OR CAST(NEW.recipients AS TEXT) IS DISTINCT FROM CAST(OLD.recipients AS TEXT)) AND (OLD.sealed IS NULL OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'resealed') THEN RAISE EXCEPTION 'an addition changes only with its disclosure' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER additions_change_with_their_disclosure BEFORE UPDATE ON additions FOR EACH ROW EXECUTE FUNCTION additions_change_with_their_disclosure()

CREATE FUNCTION kept_receipts_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'what was received is never altered' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER kept_receipts_are_never_altered BEFORE UPDATE ON kept_receipts FOR EACH ROW EXECUTE FUNCTION kept_receipts_are_never_altered()

CREATE FUNCTION kept_receipts_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a stored receipt is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER kept_receipts_are_never_deleted BEFORE DELETE ON kept_receipts FOR EACH ROW EXECUTE FUNCTION kept_receipts_are_never_deleted()

CREATE FUNCTION kept_receipts_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a stored receipt is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER kept_receipts_are_never_emptied BEFORE TRUNCATE ON kept_receipts FOR EACH STATEMENT EXECUTE FUNCTION kept_receipts_are_never_emptied()
