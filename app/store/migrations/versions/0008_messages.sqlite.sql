ALTER TABLE concerns ADD COLUMN message_key BLOB

ALTER TABLE concerns ADD COLUMN due_soon_announced BOOLEAN DEFAULT 0 NOT NULL

ALTER TABLE additions ADD COLUMN due_soon_announced BOOLEAN DEFAULT 0 NOT NULL

DROP TRIGGER concerns_keep_what_was_received

CREATE TRIGGER concerns_keep_what_was_received BEFORE UPDATE ON concerns WHEN NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.acknowledge_by IS DISTINCT FROM OLD.acknowledge_by OR NEW.guide IS DISTINCT FROM OLD.guide OR NEW.edition IS DISTINCT FROM OLD.edition OR NEW.referral_source IS DISTINCT FROM OLD.referral_source OR NEW.form_version IS DISTINCT FROM OLD.form_version OR NEW.status_token_sha256 IS DISTINCT FROM OLD.status_token_sha256 OR NEW.test IS DISTINCT FROM OLD.test OR NEW.message_key IS DISTINCT FROM OLD.message_key OR OLD.acknowledged_at IS NOT NULL AND NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at OR OLD.closed_at IS NOT NULL AND NEW.closed_at IS DISTINCT FROM OLD.closed_at OR OLD.erased_at IS NOT NULL AND NEW.erased_at IS DISTINCT FROM OLD.erased_at OR OLD.outcome IS NOT NULL AND NEW.outcome IS DISTINCT FROM OLD.outcome OR (CASE NEW.immediate_danger WHEN 'yes' THEN 2 WHEN 'not_sure' THEN 1 ELSE 0 END < CASE OLD.immediate_danger WHEN 'yes' THEN 2 WHEN 'not_sure' THEN 1 ELSE 0 END) BEGIN SELECT RAISE(ABORT, 'what was received is never altered'); END

CREATE TABLE messages (
    reference VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    sent_at DATETIME NOT NULL,
    sealed BLOB,
    read_at DATETIME,
    answered_by INTEGER,
    CONSTRAINT pk_messages PRIMARY KEY (reference, number),
    CONSTRAINT fk_messages_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE TRIGGER messages_are_never_deleted BEFORE DELETE ON messages WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a message is never deleted'); END

CREATE TRIGGER messages_are_never_replaced BEFORE INSERT ON messages WHEN EXISTS (SELECT 1 FROM messages WHERE (reference = NEW.reference AND number = NEW.number) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a message is never deleted'); END

CREATE TRIGGER messages_keep_what_they_are BEFORE UPDATE ON messages WHEN NEW.reference IS DISTINCT FROM OLD.reference OR NEW.number IS DISTINCT FROM OLD.number OR NEW.sent_at IS DISTINCT FROM OLD.sent_at BEGIN SELECT RAISE(ABORT, 'a message keeps its number and its time'); END

CREATE TRIGGER messages_keep_their_place BEFORE UPDATE ON messages WHEN NEW.rowid <> OLD.rowid BEGIN SELECT RAISE(ABORT, 'a message keeps its number and its time'); END

CREATE TRIGGER messages_come_unread BEFORE INSERT ON messages WHEN NOT (NEW.sealed IS NOT NULL AND NEW.read_at IS NULL AND NEW.answered_by IS NULL) OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'message_sent' BEGIN SELECT RAISE(ABORT, 'a message changes only with its disclosure'); END

CREATE TRIGGER messages_change_with_their_disclosure BEFORE UPDATE ON messages WHEN NEW.read_at IS DISTINCT FROM OLD.read_at AND (OLD.read_at IS NOT NULL OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'message_read') OR NEW.answered_by IS DISTINCT FROM OLD.answered_by AND (OLD.answered_by IS NOT NULL OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'added') OR NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NOT NULL OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased') BEGIN SELECT RAISE(ABORT, 'a message changes only with its disclosure'); END

CREATE TABLE email_state (
    id INTEGER NOT NULL,
    sent_up_to INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due DATETIME NOT NULL,
    CONSTRAINT pk_email_state PRIMARY KEY (id)
)

CREATE TABLE hand_overs (
    reference VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    at DATETIME NOT NULL,
    body TEXT NOT NULL,
    reason TEXT NOT NULL,
    recipient VARCHAR NOT NULL,
    package_sha256 VARCHAR NOT NULL,
    additions INTEGER NOT NULL,
    receipt TEXT NOT NULL,
    their_receipt TEXT,
    confirmed_at DATETIME,
    CONSTRAINT pk_hand_overs PRIMARY KEY (reference, number),
    CONSTRAINT fk_hand_overs_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE TRIGGER hand_overs_are_never_deleted BEFORE DELETE ON hand_overs WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a hand-over is never deleted'); END

CREATE TRIGGER hand_overs_are_never_replaced BEFORE INSERT ON hand_overs WHEN EXISTS (SELECT 1 FROM hand_overs WHERE (reference = NEW.reference AND number = NEW.number) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a hand-over is never deleted'); END

CREATE TRIGGER hand_overs_keep_what_they_are BEFORE UPDATE ON hand_overs WHEN NEW.reference IS DISTINCT FROM OLD.reference OR NEW.number IS DISTINCT FROM OLD.number OR NEW.at IS DISTINCT FROM OLD.at OR NEW.body IS DISTINCT FROM OLD.body OR NEW.reason IS DISTINCT FROM OLD.reason OR NEW.recipient IS DISTINCT FROM OLD.recipient OR NEW.package_sha256 IS DISTINCT FROM OLD.package_sha256 OR NEW.additions IS DISTINCT FROM OLD.additions OR NEW.receipt IS DISTINCT FROM OLD.receipt BEGIN SELECT RAISE(ABORT, 'a hand-over never changes'); END

CREATE TRIGGER hand_overs_come_with_their_disclosure BEFORE INSERT ON hand_overs WHEN (NEW.their_receipt IS NOT NULL OR NEW.confirmed_at IS NOT NULL) OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'handed_over' BEGIN SELECT RAISE(ABORT, 'a hand-over changes only with its disclosure'); END

CREATE TRIGGER hand_overs_are_confirmed_on_the_record BEFORE UPDATE ON hand_overs WHEN (NEW.their_receipt IS DISTINCT FROM OLD.their_receipt OR NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at) AND (OLD.their_receipt IS NOT NULL OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'hand_over_confirmed') BEGIN SELECT RAISE(ABORT, 'a hand-over changes only with its disclosure'); END
