DROP INDEX ix_concerns_urgency

DROP INDEX ix_concerns_state_urgency

ALTER TABLE concerns DROP COLUMN waiting

ALTER TABLE concerns DROP COLUMN danger

ALTER TABLE concerns ADD COLUMN additions_waiting INTEGER DEFAULT 0 NOT NULL

ALTER TABLE concerns ADD COLUMN addition_acknowledge_by DATETIME

ALTER TABLE concerns ADD COLUMN addition_danger VARCHAR

ALTER TABLE concerns ADD COLUMN waiting INTEGER GENERATED ALWAYS AS (CASE WHEN state = 'received' OR additions_waiting > 0 THEN 0 ELSE 1 END) VIRTUAL

ALTER TABLE concerns ADD COLUMN danger INTEGER GENERATED ALWAYS AS (CASE WHEN addition_danger = 'yes' THEN 0 WHEN immediate_danger = 'yes' THEN 1 WHEN immediate_danger = 'not_sure' THEN 2 ELSE 3 END) VIRTUAL

ALTER TABLE concerns ADD COLUMN due DATETIME GENERATED ALWAYS AS (CASE WHEN state = 'received' THEN acknowledge_by ELSE COALESCE(addition_acknowledge_by, acknowledge_by) END) VIRTUAL

CREATE INDEX ix_concerns_state_urgency ON concerns (state, waiting, danger, due, reference)

CREATE INDEX ix_concerns_urgency ON concerns (waiting, danger, due, reference)

DROP TRIGGER additions_are_never_deleted

DROP TRIGGER additions_are_never_replaced

DROP TRIGGER additions_keep_what_nobody_acknowledged

ALTER TABLE additions RENAME TO additions_before

CREATE TABLE additions (
    reference VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    received_at DATETIME NOT NULL,
    acknowledge_by DATETIME NOT NULL,
    immediate_danger VARCHAR,
    recipients JSON NOT NULL,
    sealed BLOB,
    acknowledged_at DATETIME,
    overdue_announced BOOLEAN NOT NULL,
    CONSTRAINT pk_additions PRIMARY KEY (reference, number),
    CONSTRAINT fk_additions_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

INSERT INTO additions
SELECT reference, number, received_at, strftime('%Y-%m-%d %H:%M:%S', received_at, '+1 day') || substr(received_at, 20),
    NULL, recipients, sealed,
    (SELECT min(at) FROM disclosures WHERE chain = additions_before.reference AND act IN ('acknowledged', 'closed') AND at > additions_before.received_at),
    FALSE
FROM additions_before

DROP TABLE additions_before

CREATE INDEX ix_additions_waiting ON additions (acknowledge_by) WHERE acknowledged_at IS NULL AND sealed IS NOT NULL

UPDATE concerns SET
    additions_waiting = (SELECT count(*) FROM additions WHERE reference = concerns.reference AND acknowledged_at IS NULL AND sealed IS NOT NULL),
    addition_acknowledge_by = (SELECT min(acknowledge_by) FROM additions WHERE reference = concerns.reference AND acknowledged_at IS NULL AND sealed IS NOT NULL)
WHERE added_at IS NOT NULL

CREATE TRIGGER concerns_keep_what_was_added BEFORE UPDATE ON concerns WHEN (NEW.erased_at IS DISTINCT FROM OLD.erased_at OR NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT))) AND EXISTS (SELECT 1 FROM additions WHERE reference = OLD.reference AND acknowledged_at IS NULL AND sealed IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'a concern is not erased while something added to it is not acknowledged'); END

CREATE TRIGGER additions_keep_what_nobody_acknowledged BEFORE UPDATE ON additions WHEN NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT)) AND (OLD.acknowledged_at IS NULL OR EXISTS (SELECT 1 FROM concerns WHERE reference = OLD.reference AND (state = 'received' OR held))) BEGIN SELECT RAISE(ABORT, 'an addition that is not acknowledged, or whose concern is on hold, is not erased'); END

CREATE TRIGGER additions_keep_what_they_are BEFORE UPDATE ON additions WHEN NEW.reference IS DISTINCT FROM OLD.reference OR NEW.number IS DISTINCT FROM OLD.number OR NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.acknowledge_by IS DISTINCT FROM OLD.acknowledge_by OR NEW.immediate_danger IS DISTINCT FROM OLD.immediate_danger BEGIN SELECT RAISE(ABORT, 'an addition keeps its number and its times'); END

CREATE TRIGGER additions_keep_their_place BEFORE UPDATE ON additions WHEN NEW.rowid <> OLD.rowid BEGIN SELECT RAISE(ABORT, 'an addition keeps its number and its times'); END

CREATE TRIGGER additions_come_unacknowledged BEFORE INSERT ON additions WHEN NEW.acknowledged_at IS NOT NULL BEGIN SELECT RAISE(ABORT, 'an addition is acknowledged once, and on the record'); END

CREATE TRIGGER additions_are_acknowledged_on_the_record BEFORE UPDATE ON additions WHEN NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at AND (OLD.acknowledged_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM disclosures WHERE chain = OLD.reference AND act = 'acknowledged' AND at = NEW.acknowledged_at)) BEGIN SELECT RAISE(ABORT, 'an addition is acknowledged once, and on the record'); END

CREATE TRIGGER additions_are_never_deleted BEFORE DELETE ON additions WHEN TRUE BEGIN SELECT RAISE(ABORT, 'an addition is never deleted'); END

CREATE TRIGGER additions_are_never_replaced BEFORE INSERT ON additions WHEN EXISTS (SELECT 1 FROM additions WHERE (reference = NEW.reference AND number = NEW.number) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'an addition is never deleted'); END
