CREATE TABLE clients (
    mac BYTEA NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    scopes JSON NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    person TEXT COLLATE "C",
    test BOOLEAN NOT NULL,
    CONSTRAINT pk_clients PRIMARY KEY (name)
)

CREATE TABLE people (
    mac BYTEA NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C",
    subject TEXT COLLATE "C",
    handle BYTEA NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    left_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_people PRIMARY KEY (name)
)

CREATE TABLE passkey_challenges (
    challenge BYTEA NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_passkey_challenges PRIMARY KEY (challenge)
)

CREATE TABLE audit_entries (
    chain TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    act TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL,
    previous_sha256 TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    position INTEGER NOT NULL,
    CONSTRAINT pk_audit_entries PRIMARY KEY (chain, number),
    CONSTRAINT uq_audit_entries_position UNIQUE (position)
)

CREATE INDEX ix_audit_entries_client ON audit_entries (client, at, position, act)

CREATE INDEX ix_audit_entries_at ON audit_entries (at, position, act)

CREATE FUNCTION audit_entries_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'an audit log entry is never altered or deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER audit_entries_are_never_altered BEFORE UPDATE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_entries_are_never_altered()

CREATE FUNCTION audit_entries_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'an audit log entry is never altered or deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER audit_entries_are_never_deleted BEFORE DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_entries_are_never_deleted()

CREATE FUNCTION audit_entries_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'an audit log entry is never altered or deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER audit_entries_are_never_emptied BEFORE TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_are_never_emptied()

CREATE TABLE chains (
    name TEXT COLLATE "C" NOT NULL,
    length INTEGER NOT NULL,
    head_sha256 TEXT COLLATE "C" NOT NULL,
    CONSTRAINT pk_chains PRIMARY KEY (name)
)

CREATE FUNCTION chains_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a chain of the audit log is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER chains_are_never_deleted BEFORE DELETE ON chains FOR EACH ROW EXECUTE FUNCTION chains_are_never_deleted()

CREATE FUNCTION chains_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a chain of the audit log is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER chains_are_never_emptied BEFORE TRUNCATE ON chains FOR EACH STATEMENT EXECUTE FUNCTION chains_are_never_emptied()

CREATE FUNCTION chains_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name <> OLD.name OR NOT (NEW.length = OLD.length + 1 OR (NEW.name = 'outbox' AND NEW.length > OLD.length)) THEN RAISE EXCEPTION 'a chain of the audit log grows by one' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER chains_only_grow BEFORE UPDATE ON chains FOR EACH ROW EXECUTE FUNCTION chains_only_grow()

CREATE TABLE checkpoints (
    number SERIAL NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    size INTEGER NOT NULL,
    root_sha256 TEXT COLLATE "C" NOT NULL,
    frontier JSON NOT NULL,
    note TEXT COLLATE "C" NOT NULL,
    CONSTRAINT pk_checkpoints PRIMARY KEY (number)
)

CREATE FUNCTION checkpoints_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a checkpoint never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER checkpoints_are_never_altered BEFORE UPDATE ON checkpoints FOR EACH ROW EXECUTE FUNCTION checkpoints_are_never_altered()

CREATE FUNCTION checkpoints_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a checkpoint never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER checkpoints_are_never_deleted BEFORE DELETE ON checkpoints FOR EACH ROW EXECUTE FUNCTION checkpoints_are_never_deleted()

CREATE FUNCTION checkpoints_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a checkpoint never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER checkpoints_are_never_emptied BEFORE TRUNCATE ON checkpoints FOR EACH STATEMENT EXECUTE FUNCTION checkpoints_are_never_emptied()

CREATE TABLE known_time (
    id SERIAL NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_known_time PRIMARY KEY (id)
)

CREATE TABLE concerns (
    reference TEXT COLLATE "C" NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    acknowledge_by TIMESTAMP WITH TIME ZONE NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    immediate_danger TEXT COLLATE "C" NOT NULL,
    guide TEXT COLLATE "C" NOT NULL,
    edition INTEGER NOT NULL,
    referral_source TEXT COLLATE "C",
    form_version INTEGER NOT NULL,
    recipients JSON NOT NULL,
    status_token_sha256 BYTEA NOT NULL,
    acknowledged_at TIMESTAMP WITH TIME ZONE,
    closed_at TIMESTAMP WITH TIME ZONE,
    reopened_at TIMESTAMP WITH TIME ZONE,
    outcome TEXT COLLATE "C",
    outcome_shared BOOLEAN NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE,
    overdue_announced BOOLEAN NOT NULL,
    held BOOLEAN NOT NULL,
    erased_at TIMESTAMP WITH TIME ZONE,
    additions_waiting INTEGER NOT NULL,
    addition_acknowledge_by TIMESTAMP WITH TIME ZONE,
    addition_danger TEXT COLLATE "C",
    waiting INTEGER GENERATED ALWAYS AS (CASE WHEN state = 'received' OR additions_waiting > 0 THEN 0 WHEN state = 'closed' THEN 2 ELSE 1 END) STORED NOT NULL,
    danger INTEGER GENERATED ALWAYS AS (CASE WHEN addition_danger = 'yes' THEN 0 WHEN immediate_danger = 'yes' THEN 1 WHEN immediate_danger = 'not_sure' THEN 2 ELSE 3 END) STORED NOT NULL,
    due TIMESTAMP WITH TIME ZONE GENERATED ALWAYS AS (CASE WHEN addition_acknowledge_by IS NULL THEN acknowledge_by WHEN state = 'received' AND acknowledge_by < addition_acknowledge_by THEN acknowledge_by ELSE addition_acknowledge_by END) STORED NOT NULL,
    test BOOLEAN NOT NULL,
    assigned_to TEXT COLLATE "C" NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_soon_announced BOOLEAN NOT NULL,
    message_key BYTEA NOT NULL,
    burst TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    came_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_by TEXT COLLATE "C" NOT NULL,
    limited_to TEXT COLLATE "C" NOT NULL,
    restricted INTEGER GENERATED ALWAYS AS (CASE WHEN limited_to <> '' THEN 1 ELSE 0 END) STORED NOT NULL,
    sealed BYTEA,
    CONSTRAINT pk_concerns PRIMARY KEY (reference)
)

CREATE INDEX ix_concerns_restricted ON concerns (reference) WHERE limited_to <> ''

CREATE INDEX ix_concerns_urgency ON concerns (waiting, danger, due, received_at, reference, state, immediate_danger, guide, assigned_to, changed_at, test, burst, channel, restricted)

CREATE INDEX ix_concerns_erased ON concerns (erased_at) WHERE erased_at IS NOT NULL

CREATE INDEX ix_concerns_closed ON concerns (closed_at, erased_at, test, outcome) WHERE closed_at IS NOT NULL

CREATE INDEX ix_concerns_received ON concerns (received_at, reference, waiting, danger, due, state, immediate_danger, guide, assigned_to, changed_at, test, burst, channel, restricted)

CREATE INDEX ix_concerns_held ON concerns (reference) WHERE held IS TRUE

CREATE INDEX ix_concerns_acknowledged_at ON concerns (acknowledged_at) WHERE acknowledged_at IS NOT NULL

CREATE INDEX ix_concerns_unacknowledged ON concerns (acknowledge_by) WHERE state = 'received' AND test IS FALSE

CREATE FUNCTION concerns_name_an_edition() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NOT EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND language = '' AND number = NEW.edition) THEN RAISE EXCEPTION 'a concern names a published edition' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER concerns_name_an_edition BEFORE INSERT ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_name_an_edition()

CREATE FUNCTION concerns_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a concern is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER concerns_are_never_deleted BEFORE DELETE ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_are_never_deleted()

CREATE FUNCTION concerns_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a concern is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER concerns_are_never_emptied BEFORE TRUNCATE ON concerns FOR EACH STATEMENT EXECUTE FUNCTION concerns_are_never_emptied()

CREATE FUNCTION concerns_keep_their_reference() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.reference <> OLD.reference THEN RAISE EXCEPTION 'a concern keeps its reference' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER concerns_keep_their_reference BEFORE UPDATE ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_keep_their_reference()

CREATE FUNCTION concerns_keep_what_nobody_acknowledged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT)) AND (OLD.state = 'received' OR OLD.held) THEN RAISE EXCEPTION 'a concern that is not acknowledged, or is on hold, is not erased' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER concerns_keep_what_nobody_acknowledged BEFORE UPDATE ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_keep_what_nobody_acknowledged()

CREATE FUNCTION concerns_never_go_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.state <> OLD.state AND OLD.state || NEW.state NOT IN ('receivedacknowledged', 'acknowledgedclosed') AND NOT (OLD.state = 'closed' AND NEW.state = 'acknowledged' AND OLD.erased_at IS NULL) THEN RAISE EXCEPTION 'a concern is received, then acknowledged, then closed, and reopened only while its text is there' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER concerns_never_go_back BEFORE UPDATE ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_never_go_back()

CREATE FUNCTION concerns_keep_what_was_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (NEW.erased_at IS DISTINCT FROM OLD.erased_at OR NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT))) AND EXISTS (SELECT 1 FROM entries WHERE reference = OLD.reference AND acknowledge_by IS NOT NULL AND acknowledged_at IS NULL AND sealed IS NOT NULL) THEN RAISE EXCEPTION 'a concern is not erased while something added to it is not acknowledged' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER concerns_keep_what_was_added BEFORE UPDATE ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_keep_what_was_added()

CREATE FUNCTION concerns_count_inserted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.state = 'closed' AND NOT NEW.test THEN UPDATE closed_count SET number = number + CASE WHEN NEW.state = 'closed' THEN 1 ELSE -1 END WHERE id = 1; END IF; RETURN NULL; END $$

CREATE TRIGGER concerns_count_inserted AFTER INSERT ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_count_inserted()

CREATE FUNCTION concerns_count_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (NEW.state = 'closed') <> (OLD.state = 'closed') AND NOT NEW.test THEN UPDATE closed_count SET number = number + CASE WHEN NEW.state = 'closed' THEN 1 ELSE -1 END WHERE id = 1; END IF; RETURN NULL; END $$

CREATE TRIGGER concerns_count_changed AFTER UPDATE OF state ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_count_changed()

CREATE FUNCTION concerns_keep_what_was_received() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.acknowledge_by IS DISTINCT FROM OLD.acknowledge_by OR NEW.guide IS DISTINCT FROM OLD.guide OR NEW.edition IS DISTINCT FROM OLD.edition OR NEW.referral_source IS DISTINCT FROM OLD.referral_source OR NEW.form_version IS DISTINCT FROM OLD.form_version OR NEW.status_token_sha256 IS DISTINCT FROM OLD.status_token_sha256 OR NEW.test IS DISTINCT FROM OLD.test OR NEW.message_key IS DISTINCT FROM OLD.message_key OR NEW.burst IS DISTINCT FROM OLD.burst OR NEW.channel IS DISTINCT FROM OLD.channel OR NEW.came_at IS DISTINCT FROM OLD.came_at OR NEW.received_by IS DISTINCT FROM OLD.received_by OR OLD.acknowledged_at IS NOT NULL AND NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at OR OLD.erased_at IS NOT NULL AND NEW.erased_at IS DISTINCT FROM OLD.erased_at OR OLD.closed_at IS NOT NULL AND NEW.closed_at IS NOT NULL AND NEW.closed_at IS DISTINCT FROM OLD.closed_at OR OLD.outcome IS NOT NULL AND NEW.outcome IS NOT NULL AND NEW.outcome IS DISTINCT FROM OLD.outcome OR (CASE NEW.immediate_danger WHEN 'yes' THEN 2 WHEN 'not_sure' THEN 1 ELSE 0 END < CASE OLD.immediate_danger WHEN 'yes' THEN 2 WHEN 'not_sure' THEN 1 ELSE 0 END) THEN RAISE EXCEPTION 'what was received is never altered' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER concerns_keep_what_was_received BEFORE UPDATE ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_keep_what_was_received()

CREATE FUNCTION concerns_change_with_their_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.state <> OLD.state AND (CASE WHEN OLD.state = 'closed' AND NEW.state = 'acknowledged' THEN 'reopened' ELSE NEW.state END) <> coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') OR (NEW.closed_at IS DISTINCT FROM OLD.closed_at OR NEW.outcome IS DISTINCT FROM OLD.outcome OR NEW.outcome_shared IS DISTINCT FROM OLD.outcome_shared) AND (CASE WHEN NEW.closed_at IS NULL THEN 'reopened' ELSE 'closed' END) <> coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') OR NEW.limited_to IS DISTINCT FROM OLD.limited_to AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> (CASE NEW.limited_to WHEN '' THEN 'restriction_lifted' ELSE 'restricted' END) OR NEW.held AND NOT OLD.held AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'held' OR OLD.held AND NOT NEW.held AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'released' OR (NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at) AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'acknowledged' OR (NEW.reopened_at IS DISTINCT FROM OLD.reopened_at) AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'reopened' OR (NEW.erased_at IS DISTINCT FROM OLD.erased_at) AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR (NEW.added_at IS DISTINCT FROM OLD.added_at OR NEW.immediate_danger IS DISTINCT FROM OLD.immediate_danger) AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'added' OR (NEW.sealed IS NULL AND OLD.sealed IS NOT NULL) AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR (NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed OR CAST(NEW.recipients AS TEXT) IS DISTINCT FROM CAST(OLD.recipients AS TEXT)) AND (OLD.sealed IS NULL OR coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'resealed') OR NEW.assigned_to <> OLD.assigned_to AND NEW.assigned_to IS DISTINCT FROM (SELECT CASE act WHEN 'assigned' THEN CAST(detail AS JSON) ->> 'person' WHEN 'unassigned' THEN '' END FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1) OR NEW.changed_at IS DISTINCT FROM OLD.changed_at AND NEW.changed_at IS DISTINCT FROM (SELECT at FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1) THEN RAISE EXCEPTION 'a concern changes only with its audit log entry' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER concerns_change_with_their_audit_entry BEFORE UPDATE ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_change_with_their_audit_entry()

CREATE TABLE closed_count (
    id SERIAL NOT NULL,
    number INTEGER NOT NULL,
    CONSTRAINT pk_closed_count PRIMARY KEY (id)
)

INSERT INTO closed_count (id, number) VALUES (1, 0)

CREATE FUNCTION closed_count_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'the number of closed concerns is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER closed_count_are_never_deleted BEFORE DELETE ON closed_count FOR EACH ROW EXECUTE FUNCTION closed_count_are_never_deleted()

CREATE FUNCTION closed_count_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the number of closed concerns is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER closed_count_are_never_emptied BEFORE TRUNCATE ON closed_count FOR EACH STATEMENT EXECUTE FUNCTION closed_count_are_never_emptied()

CREATE TABLE saved_forms (
    form_id BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    opened_by_sha256 BYTEA,
    source TEXT COLLATE "C" NOT NULL,
    size INTEGER NOT NULL,
    CONSTRAINT pk_saved_forms PRIMARY KEY (form_id)
)

CREATE INDEX ix_saved_forms_expires_at ON saved_forms (expires_at)

CREATE INDEX ix_saved_forms_share ON saved_forms (source, expires_at, size)

CREATE TABLE saved_views (
    person TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    filters JSON NOT NULL,
    saved_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_saved_views PRIMARY KEY (person, name)
)

CREATE TABLE inbox_looks (
    person TEXT COLLATE "C" NOT NULL,
    looked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_inbox_looks PRIMARY KEY (person)
)

CREATE TABLE events (
    id SERIAL NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    data JSON NOT NULL,
    webhooks JSON NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (id)
)

CREATE FUNCTION events_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'an event is never altered or deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER events_are_never_altered BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION events_are_never_altered()

CREATE FUNCTION events_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'an event is never altered or deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION events_are_never_deleted()

CREATE FUNCTION events_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'an event is never altered or deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER events_are_never_emptied BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION events_are_never_emptied()

CREATE TABLE webhooks (
    name TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    kinds JSON NOT NULL,
    secrets JSON NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    disabled_because TEXT COLLATE "C",
    CONSTRAINT pk_webhooks PRIMARY KEY (name)
)

CREATE TABLE event_readers (
    client TEXT COLLATE "C" NOT NULL,
    confirmed INTEGER NOT NULL,
    CONSTRAINT pk_event_readers PRIMARY KEY (client)
)

CREATE FUNCTION event_readers_never_go_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.client <> OLD.client OR (NEW.confirmed < OLD.confirmed AND OLD.confirmed <= (SELECT coalesce(max(id), 0) FROM events)) THEN RAISE EXCEPTION 'an event stays confirmed' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER event_readers_never_go_back BEFORE UPDATE ON event_readers FOR EACH ROW EXECUTE FUNCTION event_readers_never_go_back()

CREATE TABLE editions (
    guide TEXT COLLATE "C" NOT NULL,
    language TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    edition INTEGER NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    details JSON NOT NULL,
    words JSON NOT NULL,
    CONSTRAINT pk_editions PRIMARY KEY (guide, language, number)
)

CREATE FUNCTION editions_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER editions_are_never_altered BEFORE UPDATE ON editions FOR EACH ROW EXECUTE FUNCTION editions_are_never_altered()

CREATE FUNCTION editions_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER editions_are_never_deleted BEFORE DELETE ON editions FOR EACH ROW EXECUTE FUNCTION editions_are_never_deleted()

CREATE FUNCTION editions_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER editions_are_never_emptied BEFORE TRUNCATE ON editions FOR EACH STATEMENT EXECUTE FUNCTION editions_are_never_emptied()

CREATE FUNCTION editions_raise_the_generation() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE generation SET number = number + 1 WHERE id = 1; RETURN NULL; END $$

CREATE TRIGGER editions_raise_the_generation AFTER INSERT ON editions FOR EACH ROW EXECUTE FUNCTION editions_raise_the_generation()

CREATE FUNCTION editions_are_numbered_in_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM editions WHERE guide = NEW.guide AND language = NEW.language) THEN RAISE EXCEPTION 'editions, and renditions in a language, are numbered 1, 2, 3 without a gap' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER editions_are_numbered_in_order BEFORE INSERT ON editions FOR EACH ROW EXECUTE FUNCTION editions_are_numbered_in_order()

CREATE FUNCTION editions_are_of_an_edition() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (CASE NEW.language WHEN '' THEN NEW.edition <> NEW.number ELSE NOT EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND language = '' AND number = NEW.edition) END) THEN RAISE EXCEPTION 'a rendition is of a published edition' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER editions_are_of_an_edition BEFORE INSERT ON editions FOR EACH ROW EXECUTE FUNCTION editions_are_of_an_edition()

CREATE TABLE pictures (
    digest TEXT COLLATE "C" NOT NULL,
    data BYTEA NOT NULL,
    CONSTRAINT pk_pictures PRIMARY KEY (digest)
)

CREATE FUNCTION pictures_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a picture never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER pictures_are_never_altered BEFORE UPDATE ON pictures FOR EACH ROW EXECUTE FUNCTION pictures_are_never_altered()

CREATE FUNCTION pictures_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM editions WHERE replace(CAST(words AS TEXT), OLD.digest, '') <> CAST(words AS TEXT)) THEN RAISE EXCEPTION 'a picture of a published rendition is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER pictures_are_never_deleted BEFORE DELETE ON pictures FOR EACH ROW EXECUTE FUNCTION pictures_are_never_deleted()

CREATE FUNCTION pictures_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a picture of a published rendition is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER pictures_are_never_emptied BEFORE TRUNCATE ON pictures FOR EACH STATEMENT EXECUTE FUNCTION pictures_are_never_emptied()

CREATE TABLE generation (
    id SERIAL NOT NULL,
    number INTEGER NOT NULL,
    CONSTRAINT pk_generation PRIMARY KEY (id)
)

CREATE FUNCTION generation_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'the generation is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER generation_are_never_deleted BEFORE DELETE ON generation FOR EACH ROW EXECUTE FUNCTION generation_are_never_deleted()

CREATE FUNCTION generation_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the generation is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER generation_are_never_emptied BEFORE TRUNCATE ON generation FOR EACH STATEMENT EXECUTE FUNCTION generation_are_never_emptied()

CREATE FUNCTION generation_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.number < OLD.number THEN RAISE EXCEPTION 'the generation only grows' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER generation_only_grow BEFORE UPDATE ON generation FOR EACH ROW EXECUTE FUNCTION generation_only_grow()

INSERT INTO generation (id, number) VALUES (1, 0)

CREATE TABLE catalogue (
    id SERIAL NOT NULL,
    guide TEXT COLLATE "C" NOT NULL,
    edition INTEGER NOT NULL,
    part TEXT COLLATE "C" NOT NULL,
    item_id TEXT COLLATE "C" NOT NULL,
    position INTEGER NOT NULL,
    codes TEXT COLLATE "C" NOT NULL,
    words TEXT COLLATE "C" NOT NULL,
    CONSTRAINT pk_catalogue PRIMARY KEY (id),
    CONSTRAINT uq_catalogue_part UNIQUE (part, guide, position)
)

CREATE INDEX ix_catalogue_guide ON catalogue (guide)

CREATE TEXT SEARCH DICTIONARY any_form (TEMPLATE = snowball, Language = english)

CREATE TEXT SEARCH CONFIGURATION any_form (COPY = simple)

ALTER TEXT SEARCH CONFIGURATION any_form ALTER MAPPING FOR asciiword, word WITH any_form

CREATE INDEX ix_catalogue_any_form ON catalogue USING gin (to_tsvector('any_form', words))

CREATE INDEX ix_catalogue_simple ON catalogue USING gin (to_tsvector('simple', words))

CREATE TABLE guide_drafts (
    guide TEXT COLLATE "C" NOT NULL,
    language TEXT COLLATE "C" NOT NULL,
    version INTEGER NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    unplaced TEXT COLLATE "C" NOT NULL,
    begun_at TIMESTAMP WITH TIME ZONE NOT NULL,
    written_at TIMESTAMP WITH TIME ZONE NOT NULL,
    written_by TEXT COLLATE "C" NOT NULL,
    offered_at TIMESTAMP WITH TIME ZONE,
    offered_by TEXT COLLATE "C",
    returned_at TIMESTAMP WITH TIME ZONE,
    returned_by TEXT COLLATE "C",
    publish_at TIMESTAMP WITH TIME ZONE,
    agreed_by TEXT COLLATE "C",
    CONSTRAINT pk_guide_drafts PRIMARY KEY (guide, language)
)

CREATE TABLE guide_draft_acts (
    guide TEXT COLLATE "C" NOT NULL,
    language TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    act TEXT COLLATE "C" NOT NULL,
    by TEXT COLLATE "C" NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    details JSON NOT NULL,
    CONSTRAINT pk_guide_draft_acts PRIMARY KEY (guide, language, number)
)

CREATE FUNCTION guide_draft_acts_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'who wrote, offered and published a draft stays on record' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER guide_draft_acts_are_never_altered BEFORE UPDATE ON guide_draft_acts FOR EACH ROW EXECUTE FUNCTION guide_draft_acts_are_never_altered()

CREATE FUNCTION guide_draft_acts_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'who wrote, offered and published a draft stays on record' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER guide_draft_acts_are_never_deleted BEFORE DELETE ON guide_draft_acts FOR EACH ROW EXECUTE FUNCTION guide_draft_acts_are_never_deleted()

CREATE FUNCTION guide_draft_acts_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'who wrote, offered and published a draft stays on record' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER guide_draft_acts_are_never_emptied BEFORE TRUNCATE ON guide_draft_acts FOR EACH STATEMENT EXECUTE FUNCTION guide_draft_acts_are_never_emptied()

CREATE TABLE client_keys (
    mac BYTEA NOT NULL,
    key_sha256 BYTEA NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_client_keys PRIMARY KEY (key_sha256),
    CONSTRAINT fk_client_keys_client_clients FOREIGN KEY(client) REFERENCES clients (name)
)

CREATE TABLE invitations (
    mac BYTEA NOT NULL,
    token_sha256 BYTEA NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_invitations PRIMARY KEY (token_sha256),
    CONSTRAINT fk_invitations_person_people FOREIGN KEY(person) REFERENCES people (name)
)

CREATE TABLE passkeys (
    mac BYTEA NOT NULL,
    credential_id BYTEA NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    public_key BYTEA NOT NULL,
    sign_count BIGINT NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    recipient TEXT COLLATE "C",
    CONSTRAINT pk_passkeys PRIMARY KEY (credential_id),
    CONSTRAINT fk_passkeys_person_people FOREIGN KEY(person) REFERENCES people (name)
)

CREATE TABLE key_copies (
    mac BYTEA NOT NULL,
    passkey TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    sealed BYTEA NOT NULL,
    keys JSON NOT NULL,
    given_by TEXT COLLATE "C" NOT NULL,
    stored_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_key_copies PRIMARY KEY (passkey),
    CONSTRAINT fk_key_copies_person_people FOREIGN KEY(person) REFERENCES people (name)
)

CREATE TABLE desk_sessions (
    mac BYTEA NOT NULL,
    token_sha256 BYTEA NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    confirmed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_used_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_desk_sessions PRIMARY KEY (token_sha256),
    CONSTRAINT fk_desk_sessions_person_people FOREIGN KEY(person) REFERENCES people (name)
)

CREATE TABLE cards (
    reference TEXT COLLATE "C" NOT NULL,
    addition INTEGER NOT NULL,
    sealed BYTEA,
    CONSTRAINT pk_cards PRIMARY KEY (reference, addition),
    CONSTRAINT fk_cards_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE FUNCTION cards_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a card is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER cards_are_never_deleted BEFORE DELETE ON cards FOR EACH ROW EXECUTE FUNCTION cards_are_never_deleted()

CREATE FUNCTION cards_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a card is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER cards_are_never_emptied BEFORE TRUNCATE ON cards FOR EACH STATEMENT EXECUTE FUNCTION cards_are_never_emptied()

CREATE FUNCTION cards_keep_their_place() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.reference IS DISTINCT FROM OLD.reference OR NEW.addition IS DISTINCT FROM OLD.addition THEN RAISE EXCEPTION 'a card keeps its place' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER cards_keep_their_place BEFORE UPDATE ON cards FOR EACH ROW EXECUTE FUNCTION cards_keep_their_place()

CREATE FUNCTION cards_come_on_the_record() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.sealed IS NULL OR coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') NOT IN ('received', 'added', 'resealed') THEN RAISE EXCEPTION 'a card comes with the audit log entry of its text' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER cards_come_on_the_record BEFORE INSERT ON cards FOR EACH ROW EXECUTE FUNCTION cards_come_on_the_record()

CREATE FUNCTION cards_change_with_their_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL AND (coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR EXISTS (SELECT 1 FROM concerns WHERE reference = OLD.reference AND (state = 'received' OR held))) OR NEW.sealed IS NOT NULL AND (OLD.sealed IS NULL OR coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'resealed')) THEN RAISE EXCEPTION 'a card changes only with its audit log entry' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER cards_change_with_their_audit_entry BEFORE UPDATE ON cards FOR EACH ROW EXECUTE FUNCTION cards_change_with_their_audit_entry()

CREATE TABLE entries (
    reference TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    recipients JSON NOT NULL,
    sealed BYTEA,
    acknowledge_by TIMESTAMP WITH TIME ZONE,
    immediate_danger TEXT COLLATE "C",
    channel TEXT COLLATE "C",
    came_at TIMESTAMP WITH TIME ZONE,
    acknowledged_at TIMESTAMP WITH TIME ZONE,
    overdue_announced BOOLEAN NOT NULL,
    due_soon_announced BOOLEAN NOT NULL,
    read_at TIMESTAMP WITH TIME ZONE,
    answered_by INTEGER,
    CONSTRAINT pk_entries PRIMARY KEY (reference, kind, number),
    CONSTRAINT fk_entries_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE INDEX ix_entries_waiting ON entries (acknowledge_by) WHERE acknowledge_by IS NOT NULL AND acknowledged_at IS NULL AND sealed IS NOT NULL

CREATE FUNCTION entries_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'an entry is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER entries_are_never_deleted BEFORE DELETE ON entries FOR EACH ROW EXECUTE FUNCTION entries_are_never_deleted()

CREATE FUNCTION entries_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'an entry is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER entries_are_never_emptied BEFORE TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION entries_are_never_emptied()

CREATE FUNCTION entries_keep_what_they_are() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.reference IS DISTINCT FROM OLD.reference OR NEW.kind IS DISTINCT FROM OLD.kind OR NEW.number IS DISTINCT FROM OLD.number OR NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.author IS DISTINCT FROM OLD.author OR NEW.acknowledge_by IS DISTINCT FROM OLD.acknowledge_by OR NEW.immediate_danger IS DISTINCT FROM OLD.immediate_danger OR NEW.channel IS DISTINCT FROM OLD.channel OR NEW.came_at IS DISTINCT FROM OLD.came_at THEN RAISE EXCEPTION 'an entry keeps its number, its time and its author' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER entries_keep_what_they_are BEFORE UPDATE ON entries FOR EACH ROW EXECUTE FUNCTION entries_keep_what_they_are()

CREATE FUNCTION entries_come_on_the_record() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') = CASE NEW.kind WHEN 'addition' THEN 'added' WHEN 'note' THEN 'noted' WHEN 'label' THEN 'labelled' WHEN 'message' THEN 'message_sent' END AND NEW.sealed IS NOT NULL AND coalesce(NEW.acknowledged_at, NEW.read_at) IS NULL AND NEW.answered_by IS NULL) IS NOT TRUE THEN RAISE EXCEPTION 'an entry comes on the record, and nobody has seen it' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER entries_come_on_the_record BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION entries_come_on_the_record()

CREATE FUNCTION entries_stay_until_acknowledged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT)) AND (OLD.kind = 'addition' AND OLD.acknowledged_at IS NULL OR EXISTS (SELECT 1 FROM concerns WHERE reference = OLD.reference AND (state = 'received' OR held))) THEN RAISE EXCEPTION 'an entry is not erased while it, or its concern, is not acknowledged, or is on hold' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER entries_stay_until_acknowledged BEFORE UPDATE ON entries FOR EACH ROW EXECUTE FUNCTION entries_stay_until_acknowledged()

CREATE FUNCTION entries_change_with_their_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at AND (OLD.acknowledged_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM audit_entries WHERE chain = OLD.reference AND act = 'acknowledged' AND at = NEW.acknowledged_at))) OR (NEW.read_at IS DISTINCT FROM OLD.read_at AND (OLD.read_at IS NOT NULL OR coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'message_read')) OR (NEW.answered_by IS DISTINCT FROM OLD.answered_by AND (OLD.answered_by IS NOT NULL OR coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'added')) OR ((NEW.sealed IS NULL AND OLD.sealed IS NOT NULL) AND coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased' OR (NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed OR CAST(NEW.recipients AS TEXT) IS DISTINCT FROM CAST(OLD.recipients AS TEXT)) AND (OLD.sealed IS NULL OR coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'resealed')) OR (OLD.kind = 'message' AND NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed) THEN RAISE EXCEPTION 'an entry changes only with its audit log entry' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER entries_change_with_their_audit_entry BEFORE UPDATE ON entries FOR EACH ROW EXECUTE FUNCTION entries_change_with_their_audit_entry()

CREATE TABLE stored_receipts (
    key_sha256 BYTEA NOT NULL,
    payload_mac BYTEA NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    sealed_receipt BYTEA NOT NULL,
    CONSTRAINT pk_stored_receipts PRIMARY KEY (key_sha256),
    CONSTRAINT fk_stored_receipts_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE INDEX ix_stored_receipts_reference ON stored_receipts (reference)

CREATE FUNCTION stored_receipts_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a stored receipt is never altered or deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER stored_receipts_are_never_altered BEFORE UPDATE ON stored_receipts FOR EACH ROW EXECUTE FUNCTION stored_receipts_are_never_altered()

CREATE FUNCTION stored_receipts_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a stored receipt is never altered or deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER stored_receipts_are_never_deleted BEFORE DELETE ON stored_receipts FOR EACH ROW EXECUTE FUNCTION stored_receipts_are_never_deleted()

CREATE FUNCTION stored_receipts_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a stored receipt is never altered or deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER stored_receipts_are_never_emptied BEFORE TRUNCATE ON stored_receipts FOR EACH STATEMENT EXECUTE FUNCTION stored_receipts_are_never_emptied()

CREATE TABLE hand_overs (
    reference TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    recipient TEXT COLLATE "C" NOT NULL,
    package_sha256 TEXT COLLATE "C" NOT NULL,
    additions INTEGER NOT NULL,
    receipt TEXT COLLATE "C" NOT NULL,
    their_receipt TEXT COLLATE "C",
    confirmed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_hand_overs PRIMARY KEY (reference, number),
    CONSTRAINT fk_hand_overs_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE FUNCTION hand_overs_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a hand-over is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER hand_overs_are_never_deleted BEFORE DELETE ON hand_overs FOR EACH ROW EXECUTE FUNCTION hand_overs_are_never_deleted()

CREATE FUNCTION hand_overs_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a hand-over is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER hand_overs_are_never_emptied BEFORE TRUNCATE ON hand_overs FOR EACH STATEMENT EXECUTE FUNCTION hand_overs_are_never_emptied()

CREATE FUNCTION hand_overs_keep_what_they_are() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.reference IS DISTINCT FROM OLD.reference OR NEW.number IS DISTINCT FROM OLD.number OR NEW.at IS DISTINCT FROM OLD.at OR NEW.body IS DISTINCT FROM OLD.body OR NEW.reason IS DISTINCT FROM OLD.reason OR NEW.recipient IS DISTINCT FROM OLD.recipient OR NEW.package_sha256 IS DISTINCT FROM OLD.package_sha256 OR NEW.additions IS DISTINCT FROM OLD.additions OR NEW.receipt IS DISTINCT FROM OLD.receipt THEN RAISE EXCEPTION 'a hand-over never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER hand_overs_keep_what_they_are BEFORE UPDATE ON hand_overs FOR EACH ROW EXECUTE FUNCTION hand_overs_keep_what_they_are()

CREATE FUNCTION hand_overs_come_with_their_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (NEW.their_receipt IS NOT NULL OR NEW.confirmed_at IS NOT NULL) OR coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'handed_over' THEN RAISE EXCEPTION 'a hand-over changes only with its audit log entry' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER hand_overs_come_with_their_audit_entry BEFORE INSERT ON hand_overs FOR EACH ROW EXECUTE FUNCTION hand_overs_come_with_their_audit_entry()

CREATE FUNCTION hand_overs_are_confirmed_on_the_record() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (NEW.their_receipt IS DISTINCT FROM OLD.their_receipt OR NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at) AND (OLD.their_receipt IS NOT NULL OR coalesce((SELECT act FROM audit_entries WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'hand_over_confirmed') THEN RAISE EXCEPTION 'a hand-over changes only with its audit log entry' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER hand_overs_are_confirmed_on_the_record BEFORE UPDATE ON hand_overs FOR EACH ROW EXECUTE FUNCTION hand_overs_are_confirmed_on_the_record()

CREATE TABLE look_again (
    reference TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    day DATE NOT NULL,
    CONSTRAINT pk_look_again PRIMARY KEY (reference, person),
    CONSTRAINT fk_look_again_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE INDEX ix_look_again_person ON look_again (person, day)

CREATE TABLE deliveries (
    event_id INTEGER NOT NULL,
    webhook TEXT COLLATE "C" NOT NULL,
    message TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    attempts INTEGER NOT NULL,
    due TIMESTAMP WITH TIME ZONE NOT NULL,
    last_answer TEXT COLLATE "C",
    CONSTRAINT pk_deliveries PRIMARY KEY (event_id, webhook),
    CONSTRAINT fk_deliveries_event_id_events FOREIGN KEY(event_id) REFERENCES events (id)
)

CREATE INDEX ix_deliveries_of_webhook ON deliveries (webhook, state, due)

CREATE INDEX ix_deliveries_due ON deliveries (state, due)

CREATE FUNCTION deliveries_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a delivery is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER deliveries_are_never_deleted BEFORE DELETE ON deliveries FOR EACH ROW EXECUTE FUNCTION deliveries_are_never_deleted()

CREATE FUNCTION deliveries_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a delivery is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER deliveries_are_never_emptied BEFORE TRUNCATE ON deliveries FOR EACH STATEMENT EXECUTE FUNCTION deliveries_are_never_emptied()

CREATE FUNCTION deliveries_keep_their_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.event_id IS DISTINCT FROM OLD.event_id OR NEW.webhook IS DISTINCT FROM OLD.webhook OR NEW.message IS DISTINCT FROM OLD.message THEN RAISE EXCEPTION 'a delivery keeps its event' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER deliveries_keep_their_event BEFORE UPDATE ON deliveries FOR EACH ROW EXECUTE FUNCTION deliveries_keep_their_event()

CREATE TABLE withdrawals (
    guide TEXT COLLATE "C" NOT NULL,
    language TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    withdrawn_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    CONSTRAINT pk_withdrawals PRIMARY KEY (guide, language, number),
    CONSTRAINT fk_withdrawals_guide_editions FOREIGN KEY(guide, language, number) REFERENCES editions (guide, language, number)
)

CREATE FUNCTION withdrawals_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER withdrawals_are_never_altered BEFORE UPDATE ON withdrawals FOR EACH ROW EXECUTE FUNCTION withdrawals_are_never_altered()

CREATE FUNCTION withdrawals_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER withdrawals_are_never_deleted BEFORE DELETE ON withdrawals FOR EACH ROW EXECUTE FUNCTION withdrawals_are_never_deleted()

CREATE FUNCTION withdrawals_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER withdrawals_are_never_emptied BEFORE TRUNCATE ON withdrawals FOR EACH STATEMENT EXECUTE FUNCTION withdrawals_are_never_emptied()

CREATE FUNCTION withdrawals_raise_the_generation() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE generation SET number = number + 1 WHERE id = 1; RETURN NULL; END $$

CREATE TRIGGER withdrawals_raise_the_generation AFTER INSERT ON withdrawals FOR EACH ROW EXECUTE FUNCTION withdrawals_raise_the_generation()

CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))

INSERT INTO alembic_version VALUES ('0002')
