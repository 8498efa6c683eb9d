CREATE TABLE clients (
    mac BLOB NOT NULL,
    name VARCHAR NOT NULL,
    scopes JSON NOT NULL,
    added_at DATETIME NOT NULL,
    revoked_at DATETIME,
    person VARCHAR,
    test BOOLEAN NOT NULL,
    CONSTRAINT pk_clients PRIMARY KEY (name)
)

CREATE TABLE people (
    mac BLOB NOT NULL,
    name VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    provider VARCHAR,
    subject VARCHAR,
    handle BLOB NOT NULL,
    added_at DATETIME NOT NULL,
    left_at DATETIME,
    CONSTRAINT pk_people PRIMARY KEY (name)
)

CREATE TABLE passkey_challenges (
    challenge BLOB NOT NULL,
    expires_at DATETIME NOT NULL,
    CONSTRAINT pk_passkey_challenges PRIMARY KEY (challenge)
)

CREATE TABLE audit_entries (
    chain VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    at DATETIME NOT NULL,
    client VARCHAR NOT NULL,
    act VARCHAR NOT NULL,
    address VARCHAR NOT NULL,
    detail TEXT NOT NULL,
    previous_sha256 VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    CONSTRAINT pk_audit_entries PRIMARY KEY (chain, number),
    CONSTRAINT uq_audit_entries_position UNIQUE (position)
)

CREATE INDEX ix_audit_entries_client ON audit_entries (client, at, position, act)

CREATE INDEX ix_audit_entries_at ON audit_entries (at, position, act)

CREATE TRIGGER audit_entries_are_never_altered BEFORE UPDATE ON audit_entries WHEN TRUE BEGIN SELECT RAISE(ABORT, 'an audit log entry is never altered or deleted'); END

CREATE TRIGGER audit_entries_are_never_deleted BEFORE DELETE ON audit_entries WHEN TRUE BEGIN SELECT RAISE(ABORT, 'an audit log entry is never altered or deleted'); END

CREATE TRIGGER audit_entries_are_never_replaced BEFORE INSERT ON audit_entries WHEN EXISTS (SELECT 1 FROM audit_entries WHERE (chain = NEW.chain AND number = NEW.number) OR (position = NEW.position) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'an audit log entry is never altered or deleted'); END

CREATE TABLE chains (
    name VARCHAR NOT NULL,
    length INTEGER NOT NULL,
    head_sha256 VARCHAR NOT NULL,
    CONSTRAINT pk_chains PRIMARY KEY (name)
)

CREATE TRIGGER chains_are_never_deleted BEFORE DELETE ON chains WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a chain of the audit log is never deleted'); END

CREATE TRIGGER chains_are_never_replaced BEFORE INSERT ON chains WHEN EXISTS (SELECT 1 FROM chains WHERE (name = NEW.name) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a chain of the audit log is never deleted'); END

CREATE TRIGGER chains_only_grow BEFORE UPDATE ON chains WHEN NEW.name <> OLD.name OR NOT (NEW.length = OLD.length + 1 OR (NEW.name = 'outbox' AND NEW.length > OLD.length)) BEGIN SELECT RAISE(ABORT, 'a chain of the audit log grows by one'); END

CREATE TABLE checkpoints (
    number INTEGER NOT NULL,
    at DATETIME NOT NULL,
    size INTEGER NOT NULL,
    root_sha256 VARCHAR NOT NULL,
    frontier JSON NOT NULL,
    note TEXT NOT NULL,
    CONSTRAINT pk_checkpoints PRIMARY KEY (number)
)

CREATE TRIGGER checkpoints_are_never_altered BEFORE UPDATE ON checkpoints WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a checkpoint never changes'); END

CREATE TRIGGER checkpoints_are_never_deleted BEFORE DELETE ON checkpoints WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a checkpoint never changes'); END

CREATE TRIGGER checkpoints_are_never_replaced BEFORE INSERT ON checkpoints WHEN EXISTS (SELECT 1 FROM checkpoints WHERE (number = NEW.number) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a checkpoint never changes'); END

CREATE TABLE known_time (
    id INTEGER NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_known_time PRIMARY KEY (id)
)

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
    status_token_sha256 BLOB NOT NULL,
    acknowledged_at DATETIME,
    closed_at DATETIME,
    reopened_at DATETIME,
    outcome VARCHAR,
    outcome_shared BOOLEAN NOT NULL,
    added_at DATETIME,
    overdue_announced BOOLEAN NOT NULL,
    held BOOLEAN NOT NULL,
    erased_at DATETIME,
    additions_waiting INTEGER NOT NULL,
    addition_acknowledge_by DATETIME,
    addition_danger VARCHAR,
    waiting INTEGER NOT NULL GENERATED ALWAYS AS (CASE WHEN state = 'received' OR additions_waiting > 0 THEN 0 WHEN state = 'closed' THEN 2 ELSE 1 END) STORED,
    danger INTEGER NOT NULL GENERATED ALWAYS AS (CASE WHEN addition_danger = 'yes' THEN 0 WHEN immediate_danger = 'yes' THEN 1 WHEN immediate_danger = 'not_sure' THEN 2 ELSE 3 END) STORED,
    due DATETIME NOT NULL GENERATED ALWAYS AS (CASE WHEN addition_acknowledge_by IS NULL THEN acknowledge_by WHEN state = 'received' AND acknowledge_by < addition_acknowledge_by THEN acknowledge_by ELSE addition_acknowledge_by END) STORED,
    test BOOLEAN NOT NULL,
    assigned_to VARCHAR NOT NULL,
    changed_at DATETIME NOT NULL,
    due_soon_announced BOOLEAN NOT NULL,
    message_key BLOB NOT NULL,
    burst VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    came_at DATETIME NOT NULL,
    received_by VARCHAR NOT NULL,
    limited_to VARCHAR NOT NULL,
    restricted INTEGER NOT NULL GENERATED ALWAYS AS (CASE WHEN limited_to <> '' THEN 1 ELSE 0 END) STORED,
    sealed BLOB,
    CONSTRAINT pk_concerns PRIMARY KEY (reference)
)

CREATE INDEX ix_concerns_restricted ON concerns (reference) WHERE limited_to <> ''

CREATE INDEX ix_concerns_urgency ON concerns (waiting, danger, due, received_at, reference, state, immediate_danger, guide, assigned_to, changed_at, test, burst, channel, restricted)

CREATE INDEX ix_concerns_erased ON concerns (erased_at) WHERE erased_at IS NOT NULL

CREATE INDEX ix_concerns_closed ON concerns (closed_at, erased_at, test, outcome) WHERE closed_at IS NOT NULL

CREATE INDEX ix_concerns_received ON concerns (received_at, reference, waiting, danger, due, state, immediate_danger, guide, assigned_to, changed_at, test, burst, channel, restricted)

CREATE INDEX ix_concerns_held ON concerns (reference) WHERE held IS 1

CREATE INDEX ix_concerns_acknowledged_at ON concerns (acknowledged_at) WHERE acknowledged_at IS NOT NULL

CREATE INDEX ix_concerns_unacknowledged ON concerns (acknowledge_by) WHERE state = 'received' AND test IS 0

CREATE TRIGGER concerns_name_an_edition BEFORE INSERT ON concerns WHEN NOT EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND language = '' AND number = NEW.edition) BEGIN SELECT RAISE(ABORT, 'a concern names a published edition'); END

CREATE TRIGGER concerns_are_never_deleted BEFORE DELETE ON concerns WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a concern is never deleted'); END

CREATE TRIGGER concerns_are_never_replaced BEFORE INSERT ON concerns WHEN EXISTS (SELECT 1 FROM concerns WHERE (reference = NEW.reference) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a concern is never deleted'); END

CREATE TRIGGER concerns_keep_their_reference BEFORE UPDATE ON concerns WHEN NEW.reference <> OLD.reference BEGIN SELECT RAISE(ABORT, 'a concern keeps its reference'); END

CREATE TRIGGER concerns_keep_their_place BEFORE UPDATE ON concerns WHEN NEW.rowid <> OLD.rowid BEGIN SELECT RAISE(ABORT, 'a concern keeps its reference'); END

CREATE TRIGGER concerns_keep_what_nobody_acknowledged BEFORE UPDATE ON concerns WHEN NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT)) AND (OLD.state = 'received' OR OLD.held) BEGIN SELECT RAISE(ABORT, 'a concern that is not acknowledged, or is on hold, is not erased'); END

CREATE TRIGGER concerns_never_go_back BEFORE UPDATE ON concerns WHEN NEW.state <> OLD.state AND OLD.state || NEW.state NOT IN ('receivedacknowledged', 'acknowledgedclosed') AND NOT (OLD.state = 'closed' AND NEW.state = 'acknowledged' AND OLD.erased_at IS NULL) BEGIN SELECT RAISE(ABORT, 'a concern is received, then acknowledged, then closed, and reopened only while its text is there'); END

CREATE TRIGGER concerns_keep_what_was_added BEFORE UPDATE ON concerns WHEN (NEW.erased_at IS DISTINCT FROM OLD.erased_at OR NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT))) AND EXISTS (SELECT 1 FROM entries WHERE reference = OLD.reference AND acknowledge_by IS NOT NULL AND acknowledged_at IS NULL AND sealed IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'a concern is not erased while something added to it is not acknowledged'); END

CREATE TRIGGER concerns_count_inserted AFTER INSERT ON concerns WHEN NEW.state = 'closed' AND NOT NEW.test BEGIN UPDATE closed_count SET number = number + CASE WHEN NEW.state = 'closed' THEN 1 ELSE -1 END WHERE id = 1; END

CREATE TRIGGER concerns_count_changed AFTER UPDATE OF state ON concerns WHEN (NEW.state = 'closed') <> (OLD.state = 'closed') AND NOT NEW.test BEGIN UPDATE closed_count SET number = number + CASE WHEN NEW.state = 'closed' THEN 1 ELSE -1 END WHERE id = 1; END

CREATE TRIGGER concerns_keep_what_was_received BEFORE UPDATE ON concerns WHEN NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.acknowledge_by IS DISTINCT FROM OLD.acknowledge_by OR NEW.guide IS DISTINCT FROM OLD.guide OR NEW.edition IS DISTINCT FROM OLD.edition OR NEW.referral_source IS DISTINCT FROM OLD.referral_source OR NEW.form_version IS DISTINCT FROM OLD.form_version OR NEW.status_token_sha256 IS DISTINCT FROM OLD.status_token_sha256 OR NEW.test IS DISTINCT FROM OLD.test OR NEW.message_key IS DISTINCT FROM OLD.message_key OR NEW.burst IS DISTINCT FROM OLD.burst OR NEW.channel IS DISTINCT FROM OLD.channel OR NEW.came_at IS DISTINCT FROM OLD.came_at OR NEW.received_by IS DISTINCT FROM OLD.received_by OR OLD.acknowledged_at IS NOT NULL AND NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at OR OLD.erased_at IS NOT NULL AND NEW.erased_at IS DISTINCT FROM OLD.erased_at OR OLD.closed_at IS NOT NULL AND NEW.closed_at IS NOT NULL AND NEW.closed_at IS DISTINCT FROM OLD.closed_at OR OLD.outcome IS NOT NULL AND NEW.outcome IS NOT NULL AND NEW.outcome IS DISTINCT FROM OLD.outcome OR (CASE NEW.immediate_danger WHEN 'yes' THEN 2 WHEN 'not_sure' THEN 1 ELSE 0 END < CASE OLD.immediate_danger WHEN 'yes' THEN 2 WHEN 'not_sure' THEN 1 ELSE 0 END) BEGIN SELECT RAISE(ABORT, 'what was received is never altered'); END

CREATE TRIGGER concerns_change_with_their_audit_entry BEFORE UPDATE ON concerns WHEN NEW.state <> OLD.state AND (CASE WHEN OLD.state = 'closed' AND NEW.state = 'acknowledged' THEN 'reopened' ELSE NEW.state END) <> coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') OR (NEW.closed_at IS DISTINCT FROM OLD.closed_at OR NEW.outcome IS DISTINCT FROM OLD.outcome OR NEW.outcome_shared IS DISTINCT FROM OLD.outcome_shared) AND (CASE WHEN NEW.closed_at IS NULL THEN 'reopened' ELSE 'closed' END) <> coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') OR NEW.limited_to IS DISTINCT FROM OLD.limited_to AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> (CASE NEW.limited_to WHEN '' THEN 'restriction_lifted' ELSE 'restricted' END) OR NEW.held AND NOT OLD.held AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'held' OR OLD.held AND NOT NEW.held AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'released' OR (NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at) AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'acknowledged' OR (NEW.reopened_at IS DISTINCT FROM OLD.reopened_at) AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'reopened' OR (NEW.erased_at IS DISTINCT FROM OLD.erased_at) AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR (NEW.added_at IS DISTINCT FROM OLD.added_at OR NEW.immediate_danger IS DISTINCT FROM OLD.immediate_danger) AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'added' OR (NEW.sealed IS NULL AND OLD.sealed IS NOT NULL) AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR (NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed OR CAST(NEW.recipients AS TEXT) IS DISTINCT FROM CAST(OLD.recipients AS TEXT)) AND (OLD.sealed IS NULL OR coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'resealed') OR NEW.assigned_to <> OLD.assigned_to AND NEW.assigned_to IS DISTINCT FROM (SELECT CASE act WHEN 'assigned' THEN CAST(detail AS TEXT) ->> 'person' WHEN 'unassigned' THEN '' END FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1) OR NEW.changed_at IS DISTINCT FROM OLD.changed_at AND NEW.changed_at IS DISTINCT FROM (SELECT at FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1) BEGIN SELECT RAISE(ABORT, 'a concern changes only with its audit log entry'); END

CREATE TABLE closed_count (
    id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    CONSTRAINT pk_closed_count PRIMARY KEY (id)
)

INSERT INTO closed_count (id, number) VALUES (1, 0)

CREATE TRIGGER closed_count_are_never_deleted BEFORE DELETE ON closed_count WHEN TRUE BEGIN SELECT RAISE(ABORT, 'the number of closed concerns is never deleted'); END

CREATE TRIGGER closed_count_are_never_replaced BEFORE INSERT ON closed_count WHEN EXISTS (SELECT 1 FROM closed_count WHERE (id = NEW.id) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'the number of closed concerns is never deleted'); END

CREATE TABLE saved_forms (
    form_id BLOB NOT NULL,
    sealed BLOB NOT NULL,
    expires_at DATETIME NOT NULL,
    opened_by_sha256 BLOB,
    source VARCHAR NOT NULL,
    size INTEGER NOT NULL,
    CONSTRAINT pk_saved_forms PRIMARY KEY (form_id)
)

CREATE INDEX ix_saved_forms_expires_at ON saved_forms (expires_at)

CREATE INDEX ix_saved_forms_share ON saved_forms (source, expires_at, size)

CREATE TABLE saved_views (
    person VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    filters JSON NOT NULL,
    saved_at DATETIME NOT NULL,
    CONSTRAINT pk_saved_views PRIMARY KEY (person, name)
)

CREATE TABLE inbox_looks (
    person VARCHAR NOT NULL,
    looked_at DATETIME NOT NULL,
    CONSTRAINT pk_inbox_looks PRIMARY KEY (person)
)

CREATE TABLE events (
    id INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    at DATETIME NOT NULL,
    data JSON NOT NULL,
    webhooks JSON NOT NULL,
    sha256 VARCHAR NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (id)
)

CREATE TRIGGER events_are_never_altered BEFORE UPDATE ON events WHEN TRUE BEGIN SELECT RAISE(ABORT, 'an event is never altered or deleted'); END

CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events WHEN TRUE BEGIN SELECT RAISE(ABORT, 'an event is never altered or deleted'); END

CREATE TRIGGER events_are_never_replaced BEFORE INSERT ON events WHEN EXISTS (SELECT 1 FROM events WHERE (id = NEW.id) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'an event is never altered or deleted'); END

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

CREATE TRIGGER event_readers_never_go_back BEFORE UPDATE ON event_readers WHEN NEW.client <> OLD.client OR (NEW.confirmed < OLD.confirmed AND OLD.confirmed <= (SELECT coalesce(max(id), 0) FROM events)) BEGIN SELECT RAISE(ABORT, 'an event stays confirmed'); END

CREATE TABLE editions (
    guide VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    edition INTEGER NOT NULL,
    published_at DATETIME NOT NULL,
    digest VARCHAR NOT NULL,
    details JSON NOT NULL,
    words JSON NOT NULL,
    CONSTRAINT pk_editions PRIMARY KEY (guide, language, number)
)

CREATE TRIGGER editions_are_never_altered BEFORE UPDATE ON editions WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER editions_are_never_deleted BEFORE DELETE ON editions WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER editions_are_never_replaced BEFORE INSERT ON editions WHEN EXISTS (SELECT 1 FROM editions WHERE (guide = NEW.guide AND language = NEW.language AND number = NEW.number) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER editions_raise_the_generation AFTER INSERT ON editions BEGIN UPDATE generation SET number = number + 1 WHERE id = 1; END

CREATE TRIGGER editions_are_numbered_in_order BEFORE INSERT ON editions WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM editions WHERE guide = NEW.guide AND language = NEW.language) BEGIN SELECT RAISE(ABORT, 'editions, and renditions in a language, are numbered 1, 2, 3 without a gap'); END

CREATE TRIGGER editions_are_of_an_edition BEFORE INSERT ON editions WHEN (CASE NEW.language WHEN '' THEN NEW.edition <> NEW.number ELSE NOT EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND language = '' AND number = NEW.edition) END) BEGIN SELECT RAISE(ABORT, 'a rendition is of a published edition'); END

CREATE TABLE pictures (
    digest VARCHAR NOT NULL,
    data BLOB NOT NULL,
    CONSTRAINT pk_pictures PRIMARY KEY (digest)
)

CREATE TRIGGER pictures_are_never_altered BEFORE UPDATE ON pictures WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a picture never changes'); END

CREATE TRIGGER pictures_are_never_deleted BEFORE DELETE ON pictures WHEN EXISTS (SELECT 1 FROM editions WHERE replace(CAST(words AS TEXT), OLD.digest, '') <> CAST(words AS TEXT)) BEGIN SELECT RAISE(ABORT, 'a picture of a published rendition is never deleted'); END

CREATE TRIGGER pictures_are_never_replaced BEFORE INSERT ON pictures WHEN EXISTS (SELECT 1 FROM pictures WHERE (digest = NEW.digest) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a picture of a published rendition is never deleted'); END

CREATE TABLE generation (
    id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    CONSTRAINT pk_generation PRIMARY KEY (id)
)

CREATE TRIGGER generation_are_never_deleted BEFORE DELETE ON generation WHEN TRUE BEGIN SELECT RAISE(ABORT, 'the generation is never deleted'); END

CREATE TRIGGER generation_are_never_replaced BEFORE INSERT ON generation WHEN EXISTS (SELECT 1 FROM generation WHERE (id = NEW.id) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'the generation is never deleted'); END

CREATE TRIGGER generation_only_grow BEFORE UPDATE ON generation WHEN NEW.number < OLD.number BEGIN SELECT RAISE(ABORT, 'the generation only grows'); END

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

CREATE TABLE guide_drafts (
    guide VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,
    unplaced TEXT NOT NULL,
    begun_at DATETIME NOT NULL,
    written_at DATETIME NOT NULL,
    written_by VARCHAR NOT NULL,
    offered_at DATETIME,
    offered_by VARCHAR,
    returned_at DATETIME,
    returned_by VARCHAR,
    publish_at DATETIME,
    agreed_by VARCHAR,
    CONSTRAINT pk_guide_drafts PRIMARY KEY (guide, language)
)

CREATE TABLE guide_draft_acts (
    guide VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    act VARCHAR NOT NULL,
    "by" VARCHAR NOT NULL,
    at DATETIME NOT NULL,
    digest VARCHAR NOT NULL,
    details JSON NOT NULL,
    CONSTRAINT pk_guide_draft_acts PRIMARY KEY (guide, language, number)
)

CREATE TRIGGER guide_draft_acts_are_never_altered BEFORE UPDATE ON guide_draft_acts WHEN TRUE BEGIN SELECT RAISE(ABORT, 'who wrote, offered and published a draft stays on record'); END

CREATE TRIGGER guide_draft_acts_are_never_deleted BEFORE DELETE ON guide_draft_acts WHEN TRUE BEGIN SELECT RAISE(ABORT, 'who wrote, offered and published a draft stays on record'); END

CREATE TRIGGER guide_draft_acts_are_never_replaced BEFORE INSERT ON guide_draft_acts WHEN EXISTS (SELECT 1 FROM guide_draft_acts WHERE (guide = NEW.guide AND language = NEW.language AND number = NEW.number) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'who wrote, offered and published a draft stays on record'); END

CREATE TABLE client_keys (
    mac BLOB NOT NULL,
    key_sha256 BLOB NOT NULL,
    client VARCHAR NOT NULL,
    added_at DATETIME NOT NULL,
    expires_at DATETIME,
    last_used_at DATETIME,
    CONSTRAINT pk_client_keys PRIMARY KEY (key_sha256),
    CONSTRAINT fk_client_keys_client_clients FOREIGN KEY(client) REFERENCES clients (name)
)

CREATE TABLE invitations (
    mac BLOB NOT NULL,
    token_sha256 BLOB NOT NULL,
    person VARCHAR NOT NULL,
    expires_at DATETIME NOT NULL,
    CONSTRAINT pk_invitations PRIMARY KEY (token_sha256),
    CONSTRAINT fk_invitations_person_people FOREIGN KEY(person) REFERENCES people (name)
)

CREATE TABLE passkeys (
    mac BLOB NOT NULL,
    credential_id BLOB NOT NULL,
    person VARCHAR NOT NULL,
    public_key BLOB NOT NULL,
    sign_count BIGINT NOT NULL,
    added_at DATETIME NOT NULL,
    name VARCHAR NOT NULL,
    recipient VARCHAR,
    CONSTRAINT pk_passkeys PRIMARY KEY (credential_id),
    CONSTRAINT fk_passkeys_person_people FOREIGN KEY(person) REFERENCES people (name)
)

CREATE TABLE key_copies (
    mac BLOB NOT NULL,
    passkey VARCHAR NOT NULL,
    person VARCHAR NOT NULL,
    sealed BLOB NOT NULL,
    keys JSON NOT NULL,
    given_by VARCHAR NOT NULL,
    stored_at DATETIME NOT NULL,
    CONSTRAINT pk_key_copies PRIMARY KEY (passkey),
    CONSTRAINT fk_key_copies_person_people FOREIGN KEY(person) REFERENCES people (name)
)

CREATE TABLE desk_sessions (
    mac BLOB NOT NULL,
    token_sha256 BLOB NOT NULL,
    person VARCHAR NOT NULL,
    client VARCHAR NOT NULL,
    started_at DATETIME NOT NULL,
    confirmed_at DATETIME NOT NULL,
    last_used_at DATETIME NOT NULL,
    CONSTRAINT pk_desk_sessions PRIMARY KEY (token_sha256),
    CONSTRAINT fk_desk_sessions_person_people FOREIGN KEY(person) REFERENCES people (name)
)

CREATE TABLE cards (
    reference VARCHAR NOT NULL,
    addition INTEGER NOT NULL,
    sealed BLOB,
    CONSTRAINT pk_cards PRIMARY KEY (reference, addition),
    CONSTRAINT fk_cards_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE TRIGGER cards_are_never_deleted BEFORE DELETE ON cards WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a card is never deleted'); END

CREATE TRIGGER cards_are_never_replaced BEFORE INSERT ON cards WHEN EXISTS (SELECT 1 FROM cards WHERE (reference = NEW.reference AND addition = NEW.addition) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a card is never deleted'); END

CREATE TRIGGER cards_keep_their_place BEFORE UPDATE ON cards WHEN NEW.reference IS DISTINCT FROM OLD.reference OR NEW.addition IS DISTINCT FROM OLD.addition BEGIN SELECT RAISE(ABORT, 'a card keeps its place'); END

CREATE TRIGGER cards_keep_their_row BEFORE UPDATE ON cards WHEN NEW.rowid <> OLD.rowid BEGIN SELECT RAISE(ABORT, 'a card keeps its place'); END

CREATE TRIGGER cards_come_on_the_record BEFORE INSERT ON cards WHEN NEW.sealed IS NULL OR coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') NOT IN ('received', 'added', 'resealed') BEGIN SELECT RAISE(ABORT, 'a card comes with the audit log entry of its text'); END

CREATE TRIGGER cards_change_with_their_audit_entry BEFORE UPDATE ON cards WHEN NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL AND (coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR EXISTS (SELECT 1 FROM concerns WHERE reference = OLD.reference AND (state = 'received' OR held))) OR NEW.sealed IS NOT NULL AND (OLD.sealed IS NULL OR coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'resealed')) BEGIN SELECT RAISE(ABORT, 'a card changes only with its audit log entry'); END

CREATE TABLE entries (
    reference VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    received_at DATETIME NOT NULL,
    author VARCHAR NOT NULL,
    recipients JSON NOT NULL,
    sealed BLOB,
    acknowledge_by DATETIME,
    immediate_danger VARCHAR,
    channel VARCHAR,
    came_at DATETIME,
    acknowledged_at DATETIME,
    overdue_announced BOOLEAN NOT NULL,
    due_soon_announced BOOLEAN NOT NULL,
    read_at DATETIME,
    answered_by INTEGER,
    CONSTRAINT pk_entries PRIMARY KEY (reference, kind, number),
    CONSTRAINT fk_entries_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE INDEX ix_entries_waiting ON entries (acknowledge_by) WHERE acknowledge_by IS NOT NULL AND acknowledged_at IS NULL AND sealed IS NOT NULL

CREATE TRIGGER entries_are_never_deleted BEFORE DELETE ON entries WHEN TRUE BEGIN SELECT RAISE(ABORT, 'an entry is never deleted'); END

CREATE TRIGGER entries_are_never_replaced BEFORE INSERT ON entries WHEN EXISTS (SELECT 1 FROM entries WHERE (reference = NEW.reference AND kind = NEW.kind AND number = NEW.number) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'an entry is never deleted'); END

CREATE TRIGGER entries_keep_what_they_are BEFORE UPDATE ON entries WHEN NEW.reference IS DISTINCT FROM OLD.reference OR NEW.kind IS DISTINCT FROM OLD.kind OR NEW.number IS DISTINCT FROM OLD.number OR NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.author IS DISTINCT FROM OLD.author OR NEW.acknowledge_by IS DISTINCT FROM OLD.acknowledge_by OR NEW.immediate_danger IS DISTINCT FROM OLD.immediate_danger OR NEW.channel IS DISTINCT FROM OLD.channel OR NEW.came_at IS DISTINCT FROM OLD.came_at BEGIN SELECT RAISE(ABORT, 'an entry keeps its number, its time and its author'); END

CREATE TRIGGER entries_keep_their_place BEFORE UPDATE ON entries WHEN NEW.rowid <> OLD.rowid BEGIN SELECT RAISE(ABORT, 'an entry keeps its number, its time and its author'); END

CREATE TRIGGER entries_come_on_the_record BEFORE INSERT ON entries WHEN (coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') = CASE NEW.kind WHEN 'addition' THEN 'added' WHEN 'note' THEN 'noted' WHEN 'label' THEN 'labelled' WHEN 'message' THEN 'message_sent' END AND NEW.sealed IS NOT NULL AND coalesce(NEW.acknowledged_at, NEW.read_at) IS NULL AND NEW.answered_by IS NULL) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'an entry comes on the record, and nobody has seen it'); END

CREATE TRIGGER entries_stay_until_acknowledged BEFORE UPDATE ON entries WHEN NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT)) AND (OLD.kind = 'addition' AND OLD.acknowledged_at IS NULL OR EXISTS (SELECT 1 FROM concerns WHERE reference = OLD.reference AND (state = 'received' OR held))) BEGIN SELECT RAISE(ABORT, 'an entry is not erased while it, or its concern, is not acknowledged, or is on hold'); END

CREATE TRIGGER entries_change_with_their_audit_entry BEFORE UPDATE ON entries WHEN (NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at AND (OLD.acknowledged_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM audit_entries WHERE chain = OLD.reference AND act = 'acknowledged' AND at = NEW.acknowledged_at))) OR (NEW.read_at IS DISTINCT FROM OLD.read_at AND (OLD.read_at IS NOT NULL OR coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'message_read')) OR (NEW.answered_by IS DISTINCT FROM OLD.answered_by AND (OLD.answered_by IS NOT NULL OR coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'added')) OR ((NEW.sealed IS NULL AND OLD.sealed IS NOT NULL) AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR (NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed OR CAST(NEW.recipients AS TEXT) IS DISTINCT FROM CAST(OLD.recipients AS TEXT)) AND (OLD.sealed IS NULL OR coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'resealed')) OR (OLD.kind = 'message' AND NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed) BEGIN SELECT RAISE(ABORT, 'an entry changes only with its audit log entry'); END

CREATE TABLE stored_receipts (
    key_sha256 BLOB NOT NULL,
    payload_mac BLOB NOT NULL,
    reference VARCHAR NOT NULL,
    sealed_receipt BLOB NOT NULL,
    CONSTRAINT pk_stored_receipts PRIMARY KEY (key_sha256),
    CONSTRAINT fk_stored_receipts_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE INDEX ix_stored_receipts_reference ON stored_receipts (reference)

CREATE TRIGGER stored_receipts_are_never_altered BEFORE UPDATE ON stored_receipts WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a stored receipt is never altered or deleted'); END

CREATE TRIGGER stored_receipts_are_never_deleted BEFORE DELETE ON stored_receipts WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a stored receipt is never altered or deleted'); END

CREATE TRIGGER stored_receipts_are_never_replaced BEFORE INSERT ON stored_receipts WHEN EXISTS (SELECT 1 FROM stored_receipts WHERE (key_sha256 = NEW.key_sha256) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a stored receipt is never altered or deleted'); END

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

CREATE TRIGGER hand_overs_come_with_their_audit_entry BEFORE INSERT ON hand_overs WHEN (NEW.their_receipt IS NOT NULL OR NEW.confirmed_at IS NOT NULL) OR coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'handed_over' BEGIN SELECT RAISE(ABORT, 'a hand-over changes only with its audit log entry'); END

CREATE TRIGGER hand_overs_are_confirmed_on_the_record BEFORE UPDATE ON hand_overs WHEN (NEW.their_receipt IS DISTINCT FROM OLD.their_receipt OR NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at) AND (OLD.their_receipt IS NOT NULL OR coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'hand_over_confirmed') BEGIN SELECT RAISE(ABORT, 'a hand-over changes only with its audit log entry'); END

CREATE TABLE look_again (
    reference VARCHAR NOT NULL,
    person VARCHAR NOT NULL,
    day DATE NOT NULL,
    CONSTRAINT pk_look_again PRIMARY KEY (reference, person),
    CONSTRAINT fk_look_again_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE INDEX ix_look_again_person ON look_again (person, day)

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

CREATE INDEX ix_deliveries_of_webhook ON deliveries (webhook, state, due)

CREATE INDEX ix_deliveries_due ON deliveries (state, due)

CREATE TRIGGER deliveries_are_never_deleted BEFORE DELETE ON deliveries WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a delivery is never deleted'); END

CREATE TRIGGER deliveries_are_never_replaced BEFORE INSERT ON deliveries WHEN EXISTS (SELECT 1 FROM deliveries WHERE (event_id = NEW.event_id AND webhook = NEW.webhook) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a delivery is never deleted'); END

CREATE TRIGGER deliveries_keep_their_event BEFORE UPDATE ON deliveries WHEN NEW.event_id IS DISTINCT FROM OLD.event_id OR NEW.webhook IS DISTINCT FROM OLD.webhook OR NEW.message IS DISTINCT FROM OLD.message BEGIN SELECT RAISE(ABORT, 'a delivery keeps its event'); END

CREATE TABLE withdrawals (
    guide VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    withdrawn_at DATETIME NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT pk_withdrawals PRIMARY KEY (guide, language, number),
    CONSTRAINT fk_withdrawals_guide_editions FOREIGN KEY(guide, language, number) REFERENCES editions (guide, language, number)
)

CREATE TRIGGER withdrawals_are_never_altered BEFORE UPDATE ON withdrawals WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER withdrawals_are_never_deleted BEFORE DELETE ON withdrawals WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER withdrawals_are_never_replaced BEFORE INSERT ON withdrawals WHEN EXISTS (SELECT 1 FROM withdrawals WHERE (guide = NEW.guide AND language = NEW.language AND number = NEW.number) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER withdrawals_raise_the_generation AFTER INSERT ON withdrawals BEGIN UPDATE generation SET number = number + 1 WHERE id = 1; END

CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))

INSERT INTO alembic_version VALUES ('0002')
