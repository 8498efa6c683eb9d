CREATE TABLE log_entries (
    number INTEGER NOT NULL,
    chain VARCHAR NOT NULL,
    place INTEGER NOT NULL,
    sha256 VARCHAR NOT NULL,
    CONSTRAINT pk_log_entries PRIMARY KEY (number)
)

CREATE TRIGGER log_entries_are_never_altered BEFORE UPDATE ON log_entries WHEN TRUE BEGIN SELECT RAISE(ABORT, 'an entry of the log never changes'); END

CREATE TRIGGER log_entries_are_never_deleted BEFORE DELETE ON log_entries WHEN TRUE BEGIN SELECT RAISE(ABORT, 'an entry of the log never changes'); END

CREATE TRIGGER log_entries_are_never_replaced BEFORE INSERT ON log_entries WHEN EXISTS (SELECT 1 FROM log_entries WHERE (number = NEW.number) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'an entry of the log never changes'); END

CREATE TABLE checkpoints (
    number INTEGER NOT NULL,
    at DATETIME NOT NULL,
    size INTEGER NOT NULL,
    root_sha256 VARCHAR NOT NULL,
    frontier JSON NOT NULL,
    note TEXT NOT NULL,
    timestamp TEXT,
    CONSTRAINT pk_checkpoints PRIMARY KEY (number)
)

CREATE TRIGGER checkpoints_are_never_altered BEFORE UPDATE ON checkpoints WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a checkpoint never changes'); END

CREATE TRIGGER checkpoints_are_never_deleted BEFORE DELETE ON checkpoints WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a checkpoint never changes'); END

CREATE TRIGGER checkpoints_are_never_replaced BEFORE INSERT ON checkpoints WHEN EXISTS (SELECT 1 FROM checkpoints WHERE (number = NEW.number) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a checkpoint never changes'); END

CREATE TRIGGER events_are_never_altered BEFORE UPDATE ON events WHEN TRUE BEGIN SELECT RAISE(ABORT, 'an event is never altered'); END

CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events WHEN TRUE BEGIN SELECT RAISE(ABORT, 'an event is never deleted'); END

CREATE TRIGGER events_are_never_replaced BEFORE INSERT ON events WHEN EXISTS (SELECT 1 FROM events WHERE (id = NEW.id) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'an event is never deleted'); END

CREATE TRIGGER event_readers_never_go_back BEFORE UPDATE ON event_readers WHEN NEW.client <> OLD.client OR (NEW.confirmed < OLD.confirmed AND OLD.confirmed <= (SELECT coalesce(max(id), 0) FROM events)) BEGIN SELECT RAISE(ABORT, 'an event stays confirmed'); END

CREATE TRIGGER deliveries_keep_their_event BEFORE UPDATE ON deliveries WHEN NEW.event_id IS DISTINCT FROM OLD.event_id OR NEW.webhook IS DISTINCT FROM OLD.webhook OR NEW.message IS DISTINCT FROM OLD.message BEGIN SELECT RAISE(ABORT, 'a delivery keeps its event'); END

CREATE TRIGGER concerns_keep_what_was_received BEFORE UPDATE ON concerns WHEN NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.acknowledge_by IS DISTINCT FROM OLD.acknowledge_by OR NEW.guide IS DISTINCT FROM OLD.guide OR NEW.edition IS DISTINCT FROM OLD.edition OR NEW.referral_source IS DISTINCT FROM OLD.referral_source OR NEW.form_version IS DISTINCT FROM OLD.form_version OR NEW.status_token_sha256 IS DISTINCT FROM OLD.status_token_sha256 OR OLD.acknowledged_at IS NOT NULL AND NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at OR OLD.closed_at IS NOT NULL AND NEW.closed_at IS DISTINCT FROM OLD.closed_at OR OLD.erased_at IS NOT NULL AND NEW.erased_at IS DISTINCT FROM OLD.erased_at OR OLD.outcome IS NOT NULL AND NEW.outcome IS DISTINCT FROM OLD.outcome OR (CASE NEW.immediate_danger WHEN 'yes' THEN 2 WHEN 'not_sure' THEN 1 ELSE 0 END < CASE OLD.immediate_danger WHEN 'yes' THEN 2 WHEN 'not_sure' THEN 1 ELSE 0 END) BEGIN SELECT RAISE(ABORT, 'what was received is never altered'); END

CREATE TRIGGER concerns_change_with_their_disclosure BEFORE UPDATE ON concerns WHEN NEW.state <> OLD.state AND NEW.state <> coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') OR NEW.held AND NOT OLD.held AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'held' OR OLD.held AND NOT NEW.held AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'released' OR (NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'acknowledged' OR (NEW.closed_at IS DISTINCT FROM OLD.closed_at OR NEW.outcome IS DISTINCT FROM OLD.outcome OR NEW.outcome_shared IS DISTINCT FROM OLD.outcome_shared) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'closed' OR (NEW.erased_at IS DISTINCT FROM OLD.erased_at) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR (NEW.added_at IS DISTINCT FROM OLD.added_at OR NEW.immediate_danger IS DISTINCT FROM OLD.immediate_danger) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'added' OR (NEW.sealed IS NULL AND OLD.sealed IS NOT NULL) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR (NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed OR CAST(NEW.recipients AS TEXT) IS DISTINCT FROM CAST(OLD.recipients AS TEXT)) AND (OLD.sealed IS NULL OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'resealed') BEGIN SELECT RAISE(ABORT, 'a concern changes only with its disclosure'); END

CREATE TRIGGER additions_change_with_their_disclosure BEFORE UPDATE ON additions WHEN (NEW.sealed IS NULL AND OLD.sealed IS NOT NULL) AND coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR (NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed OR CAST(NEW.recipients AS TEXT) IS DISTINCT FROM CAST(OLD.recipients AS TEXT)) AND (OLD.sealed IS NULL OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'resealed') BEGIN SELECT RAISE(ABORT, 'an addition changes only with its disclosure'); END

CREATE TRIGGER kept_receipts_are_never_altered BEFORE UPDATE ON kept_receipts WHEN TRUE BEGIN SELECT RAISE(ABORT, 'what was received is never altered'); END

CREATE TRIGGER kept_receipts_are_never_deleted BEFORE DELETE ON kept_receipts WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a stored receipt is never deleted'); END

CREATE TRIGGER kept_receipts_are_never_replaced BEFORE INSERT ON kept_receipts WHEN EXISTS (SELECT 1 FROM kept_receipts WHERE (key_sha256 = NEW.key_sha256) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a stored receipt is never deleted'); END
