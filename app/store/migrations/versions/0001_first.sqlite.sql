CREATE TABLE disclosures (
    chain VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    at DATETIME NOT NULL,
    client VARCHAR NOT NULL,
    act VARCHAR NOT NULL,
    address VARCHAR NOT NULL,
    detail TEXT NOT NULL,
    previous_sha256 VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    CONSTRAINT pk_disclosures PRIMARY KEY (chain, number)
)

CREATE INDEX ix_disclosures_time ON disclosures (at, chain, number)

CREATE TRIGGER disclosures_are_never_altered BEFORE UPDATE ON disclosures WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a disclosure is never altered'); END

CREATE TRIGGER disclosures_are_never_deleted BEFORE DELETE ON disclosures WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a disclosure is never deleted'); END

CREATE TRIGGER disclosures_are_never_replaced BEFORE INSERT ON disclosures WHEN EXISTS (SELECT 1 FROM disclosures WHERE (chain = NEW.chain AND number = NEW.number) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a disclosure is never deleted'); END

CREATE TABLE chains (
    name VARCHAR NOT NULL,
    length INTEGER NOT NULL,
    head_sha256 VARCHAR NOT NULL,
    CONSTRAINT pk_chains PRIMARY KEY (name)
)

CREATE TRIGGER chains_are_never_deleted BEFORE DELETE ON chains WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a chain of disclosures is never deleted'); END

CREATE TRIGGER chains_are_never_replaced BEFORE INSERT ON chains WHEN EXISTS (SELECT 1 FROM chains WHERE (name = NEW.name) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a chain of disclosures is never deleted'); END

CREATE TRIGGER chains_only_grow BEFORE UPDATE ON chains WHEN NEW.name <> OLD.name OR NEW.length <> OLD.length + 1 BEGIN SELECT RAISE(ABORT, 'a chain of disclosures grows by one'); END

CREATE TABLE guides (
    slug VARCHAR NOT NULL,
    first_published_at DATETIME NOT NULL,
    CONSTRAINT pk_guides PRIMARY KEY (slug)
)

CREATE TRIGGER guides_are_never_altered BEFORE UPDATE ON guides WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER guides_are_never_deleted BEFORE DELETE ON guides WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER guides_are_never_replaced BEFORE INSERT ON guides WHEN EXISTS (SELECT 1 FROM guides WHERE (slug = NEW.slug) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TABLE generation (
    id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    CONSTRAINT pk_generation PRIMARY KEY (id)
)

INSERT INTO generation (id, number) VALUES (1, 0)

CREATE TABLE catalogue (
    id INTEGER NOT NULL,
    guide VARCHAR NOT NULL,
    edition INTEGER NOT NULL,
    part VARCHAR NOT NULL,
    item_id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    codes TEXT NOT NULL,
    words TEXT NOT NULL,
    CONSTRAINT pk_catalogue PRIMARY KEY (id),
    CONSTRAINT uq_catalogue_part UNIQUE (part, guide, position)
)

CREATE INDEX ix_catalogue_guide ON catalogue (guide)

CREATE VIRTUAL TABLE catalogue_forms USING fts5(words, content='catalogue', content_rowid='id', tokenize='porter unicode61')

CREATE TRIGGER catalogue_forms_gain AFTER INSERT ON catalogue BEGIN INSERT INTO catalogue_forms (rowid, words) VALUES (NEW.id, NEW.words); END

CREATE TRIGGER catalogue_forms_lose AFTER DELETE ON catalogue BEGIN INSERT INTO catalogue_forms (catalogue_forms, rowid, words) VALUES ('delete', OLD.id, OLD.words); END

CREATE VIRTUAL TABLE catalogue_beginnings USING fts5(words, content='catalogue', content_rowid='id', tokenize='unicode61')

CREATE TRIGGER catalogue_beginnings_gain AFTER INSERT ON catalogue BEGIN INSERT INTO catalogue_beginnings (rowid, words) VALUES (NEW.id, NEW.words); END

CREATE TRIGGER catalogue_beginnings_lose AFTER DELETE ON catalogue BEGIN INSERT INTO catalogue_beginnings (catalogue_beginnings, rowid, words) VALUES ('delete', OLD.id, OLD.words); END

CREATE TABLE clients (
    name VARCHAR NOT NULL,
    key_sha256 BLOB NOT NULL,
    scopes JSON NOT NULL,
    added_at DATETIME NOT NULL,
    revoked_at DATETIME,
    CONSTRAINT pk_clients PRIMARY KEY (name),
    CONSTRAINT uq_clients_key_sha256 UNIQUE (key_sha256)
)

CREATE TABLE events (
    id INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    at DATETIME NOT NULL,
    data JSON NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (id)
)

CREATE TABLE webhooks (
    name VARCHAR NOT NULL,
    url TEXT NOT NULL,
    kinds JSON NOT NULL,
    secrets JSON NOT NULL,
    added_at DATETIME NOT NULL,
    disabled_at DATETIME,
    disabled_because VARCHAR,
    CONSTRAINT pk_webhooks PRIMARY KEY (name)
)

CREATE TABLE event_readers (
    client VARCHAR NOT NULL,
    confirmed INTEGER NOT NULL,
    CONSTRAINT pk_event_readers PRIMARY KEY (client)
)

CREATE TABLE editions (
    guide VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    published_at DATETIME NOT NULL,
    digest VARCHAR NOT NULL,
    title TEXT NOT NULL,
    publisher JSON NOT NULL,
    change_note TEXT NOT NULL,
    review_by DATE,
    source JSON NOT NULL,
    related_codes JSON NOT NULL,
    introductions JSON NOT NULL,
    CONSTRAINT pk_editions PRIMARY KEY (guide, number),
    CONSTRAINT fk_editions_guide_guides FOREIGN KEY(guide) REFERENCES guides (slug)
)

CREATE TRIGGER editions_are_never_altered BEFORE UPDATE ON editions WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER editions_are_never_deleted BEFORE DELETE ON editions WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER editions_are_never_replaced BEFORE INSERT ON editions WHEN EXISTS (SELECT 1 FROM editions WHERE (guide = NEW.guide AND number = NEW.number) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER editions_are_numbered_in_order BEFORE INSERT ON editions WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM editions WHERE guide = NEW.guide) BEGIN SELECT RAISE(ABORT, 'editions are numbered 1, 2, 3 without a gap'); END

CREATE TRIGGER editions_raise_the_generation AFTER INSERT ON editions BEGIN UPDATE generation SET number = number + 1 WHERE id = 1; END

CREATE TABLE deliveries (
    event_id INTEGER NOT NULL,
    webhook VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    attempts INTEGER NOT NULL,
    due DATETIME NOT NULL,
    last_answer VARCHAR,
    CONSTRAINT pk_deliveries PRIMARY KEY (event_id, webhook),
    CONSTRAINT fk_deliveries_event_id_events FOREIGN KEY(event_id) REFERENCES events (id)
)

CREATE INDEX ix_deliveries_due ON deliveries (state, due)

CREATE TABLE concerns (
    reference VARCHAR NOT NULL,
    received_at DATETIME NOT NULL,
    acknowledge_by DATETIME NOT NULL,
    state VARCHAR NOT NULL,
    immediate_danger VARCHAR NOT NULL,
    guide VARCHAR NOT NULL,
    edition INTEGER NOT NULL,
    referral_source VARCHAR,
    form_version INTEGER NOT NULL,
    recipients JSON NOT NULL,
    sealed BLOB,
    status_token_sha256 BLOB NOT NULL,
    acknowledged_at DATETIME,
    closed_at DATETIME,
    outcome VARCHAR,
    outcome_shared BOOLEAN NOT NULL,
    added_at DATETIME,
    overdue_told BOOLEAN NOT NULL,
    held BOOLEAN NOT NULL,
    erased_at DATETIME,
    waiting INTEGER GENERATED ALWAYS AS (CASE state WHEN 'received' THEN 0 ELSE 1 END) STORED,
    danger INTEGER GENERATED ALWAYS AS (CASE immediate_danger WHEN 'yes' THEN 0 WHEN 'not_sure' THEN 1 ELSE 2 END) STORED,
    CONSTRAINT pk_concerns PRIMARY KEY (reference),
    CONSTRAINT fk_concerns_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number)
)

CREATE INDEX ix_concerns_urgency ON concerns (waiting, danger, acknowledge_by, reference)

CREATE INDEX ix_concerns_state_urgency ON concerns (state, danger, acknowledge_by, reference)

CREATE INDEX ix_concerns_received ON concerns (received_at, reference)

CREATE TRIGGER concerns_are_never_deleted BEFORE DELETE ON concerns WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a concern is never deleted'); END

CREATE TRIGGER concerns_are_never_replaced BEFORE INSERT ON concerns WHEN EXISTS (SELECT 1 FROM concerns WHERE (reference = NEW.reference) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a concern is never deleted'); END

CREATE TRIGGER concerns_keep_their_reference BEFORE UPDATE ON concerns WHEN NEW.reference <> OLD.reference BEGIN SELECT RAISE(ABORT, 'a concern keeps its reference'); END

CREATE TRIGGER concerns_keep_their_place BEFORE UPDATE ON concerns WHEN NEW.rowid <> OLD.rowid BEGIN SELECT RAISE(ABORT, 'a concern keeps its reference'); END

CREATE TRIGGER concerns_keep_what_nobody_acknowledged BEFORE UPDATE ON concerns WHEN NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT)) AND (OLD.state = 'received' OR OLD.held) BEGIN SELECT RAISE(ABORT, 'a concern that is not acknowledged, or is on hold, is not erased'); END

CREATE TRIGGER concerns_never_go_back BEFORE UPDATE ON concerns WHEN NEW.state <> OLD.state AND OLD.state || NEW.state NOT IN ('receivedacknowledged', 'acknowledgedclosed') BEGIN SELECT RAISE(ABORT, 'a concern is received, then acknowledged, then closed'); END

CREATE TABLE withdrawals (
    guide VARCHAR NOT NULL,
    edition INTEGER NOT NULL,
    withdrawn_at DATETIME NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT pk_withdrawals PRIMARY KEY (guide, edition),
    CONSTRAINT fk_withdrawals_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number)
)

CREATE TRIGGER withdrawals_are_never_altered BEFORE UPDATE ON withdrawals WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER withdrawals_are_never_deleted BEFORE DELETE ON withdrawals WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER withdrawals_are_never_replaced BEFORE INSERT ON withdrawals WHEN EXISTS (SELECT 1 FROM withdrawals WHERE (guide = NEW.guide AND edition = NEW.edition) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER withdrawals_raise_the_generation AFTER INSERT ON withdrawals BEGIN UPDATE generation SET number = number + 1 WHERE id = 1; END

CREATE TABLE cautions (
    guide VARCHAR NOT NULL,
    edition INTEGER NOT NULL,
    id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    text TEXT NOT NULL,
    CONSTRAINT pk_cautions PRIMARY KEY (guide, edition, id),
    CONSTRAINT fk_cautions_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT uq_cautions_guide UNIQUE (guide, edition, position)
)

CREATE TRIGGER cautions_are_never_altered BEFORE UPDATE ON cautions WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER cautions_are_never_deleted BEFORE DELETE ON cautions WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER cautions_are_never_replaced BEFORE INSERT ON cautions WHEN EXISTS (SELECT 1 FROM cautions WHERE (guide = NEW.guide AND edition = NEW.edition AND id = NEW.id) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER cautions_are_sealed BEFORE INSERT ON cautions WHEN EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TABLE definitions (
    guide VARCHAR NOT NULL,
    edition INTEGER NOT NULL,
    id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    introduction TEXT,
    text TEXT NOT NULL,
    limbs JSON NOT NULL,
    source JSON,
    CONSTRAINT pk_definitions PRIMARY KEY (guide, edition, id),
    CONSTRAINT fk_definitions_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT uq_definitions_guide UNIQUE (guide, edition, position)
)

CREATE TRIGGER definitions_are_never_altered BEFORE UPDATE ON definitions WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER definitions_are_never_deleted BEFORE DELETE ON definitions WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER definitions_are_never_replaced BEFORE INSERT ON definitions WHEN EXISTS (SELECT 1 FROM definitions WHERE (guide = NEW.guide AND edition = NEW.edition AND id = NEW.id) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER definitions_are_sealed BEFORE INSERT ON definitions WHEN EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TABLE factors (
    guide VARCHAR NOT NULL,
    edition INTEGER NOT NULL,
    id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    text TEXT NOT NULL,
    related_codes JSON NOT NULL,
    CONSTRAINT pk_factors PRIMARY KEY (guide, edition, id),
    CONSTRAINT fk_factors_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT uq_factors_guide UNIQUE (guide, edition, position)
)

CREATE TRIGGER factors_are_never_altered BEFORE UPDATE ON factors WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER factors_are_never_deleted BEFORE DELETE ON factors WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER factors_are_never_replaced BEFORE INSERT ON factors WHEN EXISTS (SELECT 1 FROM factors WHERE (guide = NEW.guide AND edition = NEW.edition AND id = NEW.id) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER factors_are_sealed BEFORE INSERT ON factors WHEN EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TABLE indicators (
    guide VARCHAR NOT NULL,
    edition INTEGER NOT NULL,
    id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    text TEXT NOT NULL,
    kind VARCHAR NOT NULL,
    note TEXT,
    related_codes JSON NOT NULL,
    CONSTRAINT pk_indicators PRIMARY KEY (guide, edition, id),
    CONSTRAINT fk_indicators_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT uq_indicators_guide UNIQUE (guide, edition, position)
)

CREATE TRIGGER indicators_are_never_altered BEFORE UPDATE ON indicators WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER indicators_are_never_deleted BEFORE DELETE ON indicators WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER indicators_are_never_replaced BEFORE INSERT ON indicators WHEN EXISTS (SELECT 1 FROM indicators WHERE (guide = NEW.guide AND edition = NEW.edition AND id = NEW.id) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER indicators_are_sealed BEFORE INSERT ON indicators WHEN EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TABLE linked_risks (
    guide VARCHAR NOT NULL,
    edition INTEGER NOT NULL,
    id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    text TEXT NOT NULL,
    related_codes JSON NOT NULL,
    CONSTRAINT pk_linked_risks PRIMARY KEY (guide, edition, id),
    CONSTRAINT fk_linked_risks_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT uq_linked_risks_guide UNIQUE (guide, edition, position)
)

CREATE TRIGGER linked_risks_are_never_altered BEFORE UPDATE ON linked_risks WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER linked_risks_are_never_deleted BEFORE DELETE ON linked_risks WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER linked_risks_are_never_replaced BEFORE INSERT ON linked_risks WHEN EXISTS (SELECT 1 FROM linked_risks WHERE (guide = NEW.guide AND edition = NEW.edition AND id = NEW.id) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER linked_risks_are_sealed BEFORE INSERT ON linked_risks WHEN EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TABLE responsibilities (
    guide VARCHAR NOT NULL,
    edition INTEGER NOT NULL,
    id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    text TEXT NOT NULL,
    CONSTRAINT pk_responsibilities PRIMARY KEY (guide, edition, id),
    CONSTRAINT fk_responsibilities_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT uq_responsibilities_guide UNIQUE (guide, edition, position)
)

CREATE TRIGGER responsibilities_are_never_altered BEFORE UPDATE ON responsibilities WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER responsibilities_are_never_deleted BEFORE DELETE ON responsibilities WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER responsibilities_are_never_replaced BEFORE INSERT ON responsibilities WHEN EXISTS (SELECT 1 FROM responsibilities WHERE (guide = NEW.guide AND edition = NEW.edition AND id = NEW.id) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER responsibilities_are_sealed BEFORE INSERT ON responsibilities WHEN EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TABLE contacts (
    guide VARCHAR NOT NULL,
    edition INTEGER NOT NULL,
    id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    phones JSON NOT NULL,
    url TEXT,
    "when" TEXT,
    verified_on DATE,
    CONSTRAINT pk_contacts PRIMARY KEY (guide, edition, id),
    CONSTRAINT fk_contacts_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT uq_contacts_guide UNIQUE (guide, edition, position)
)

CREATE TRIGGER contacts_are_never_altered BEFORE UPDATE ON contacts WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER contacts_are_never_deleted BEFORE DELETE ON contacts WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER contacts_are_never_replaced BEFORE INSERT ON contacts WHEN EXISTS (SELECT 1 FROM contacts WHERE (guide = NEW.guide AND edition = NEW.edition AND id = NEW.id) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER contacts_are_sealed BEFORE INSERT ON contacts WHEN EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TABLE additions (
    reference VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    received_at DATETIME NOT NULL,
    recipients JSON NOT NULL,
    sealed BLOB,
    CONSTRAINT pk_additions PRIMARY KEY (reference, number),
    CONSTRAINT fk_additions_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE TRIGGER additions_are_never_deleted BEFORE DELETE ON additions WHEN TRUE BEGIN SELECT RAISE(ABORT, 'an addition is never deleted'); END

CREATE TRIGGER additions_are_never_replaced BEFORE INSERT ON additions WHEN EXISTS (SELECT 1 FROM additions WHERE (reference = NEW.reference AND number = NEW.number) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'an addition is never deleted'); END

CREATE TRIGGER additions_keep_what_nobody_acknowledged BEFORE UPDATE ON additions WHEN NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT)) AND EXISTS (SELECT 1 FROM concerns WHERE reference = OLD.reference AND (state = 'received' OR held)) BEGIN SELECT RAISE(ABORT, 'an addition to a concern that is not acknowledged, or is on hold, is not erased'); END

CREATE TABLE kept_receipts (
    key_sha256 BLOB NOT NULL,
    payload_mac BLOB NOT NULL,
    reference VARCHAR NOT NULL,
    sealed_receipt BLOB NOT NULL,
    CONSTRAINT pk_kept_receipts PRIMARY KEY (key_sha256),
    CONSTRAINT fk_kept_receipts_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE INDEX ix_kept_receipts_reference ON kept_receipts (reference)
