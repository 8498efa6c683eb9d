CREATE TABLE disclosures (
    chain TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    act TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL,
    previous_sha256 TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    CONSTRAINT pk_disclosures PRIMARY KEY (chain, number)
)

CREATE INDEX ix_disclosures_time ON disclosures (at, chain, number)

CREATE FUNCTION disclosures_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a disclosure is never altered' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER disclosures_are_never_altered BEFORE UPDATE ON disclosures FOR EACH ROW EXECUTE FUNCTION disclosures_are_never_altered()

CREATE FUNCTION disclosures_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a disclosure is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER disclosures_are_never_deleted BEFORE DELETE ON disclosures FOR EACH ROW EXECUTE FUNCTION disclosures_are_never_deleted()

CREATE FUNCTION disclosures_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a disclosure is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER disclosures_are_never_emptied BEFORE TRUNCATE ON disclosures FOR EACH STATEMENT EXECUTE FUNCTION disclosures_are_never_emptied()

CREATE TABLE chains (
    name TEXT COLLATE "C" NOT NULL,
    length INTEGER NOT NULL,
    head_sha256 TEXT COLLATE "C" NOT NULL,
    CONSTRAINT pk_chains PRIMARY KEY (name)
)

CREATE FUNCTION chains_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a chain of disclosures is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER chains_are_never_deleted BEFORE DELETE ON chains FOR EACH ROW EXECUTE FUNCTION chains_are_never_deleted()

CREATE FUNCTION chains_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a chain of disclosures is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER chains_are_never_emptied BEFORE TRUNCATE ON chains FOR EACH STATEMENT EXECUTE FUNCTION chains_are_never_emptied()

CREATE FUNCTION chains_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name <> OLD.name OR NEW.length <> OLD.length + 1 THEN RAISE EXCEPTION 'a chain of disclosures grows by one' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER chains_only_grow BEFORE UPDATE ON chains FOR EACH ROW EXECUTE FUNCTION chains_only_grow()

CREATE TABLE guides (
    slug TEXT COLLATE "C" NOT NULL,
    first_published_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_guides PRIMARY KEY (slug)
)

CREATE FUNCTION guides_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER guides_are_never_altered BEFORE UPDATE ON guides FOR EACH ROW EXECUTE FUNCTION guides_are_never_altered()

CREATE FUNCTION guides_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER guides_are_never_deleted BEFORE DELETE ON guides FOR EACH ROW EXECUTE FUNCTION guides_are_never_deleted()

CREATE FUNCTION guides_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER guides_are_never_emptied BEFORE TRUNCATE ON guides FOR EACH STATEMENT EXECUTE FUNCTION guides_are_never_emptied()

CREATE TABLE generation (
    id SERIAL NOT NULL,
    number INTEGER NOT NULL,
    CONSTRAINT pk_generation PRIMARY KEY (id)
)

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

CREATE TABLE clients (
    name TEXT COLLATE "C" NOT NULL,
    key_sha256 BYTEA NOT NULL,
    scopes JSON NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_clients PRIMARY KEY (name),
    CONSTRAINT uq_clients_key_sha256 UNIQUE (key_sha256)
)

CREATE TABLE events (
    id SERIAL NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    data JSON NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (id)
)

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

CREATE TABLE editions (
    guide TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    publisher JSON NOT NULL,
    change_note TEXT COLLATE "C" NOT NULL,
    review_by DATE,
    source JSON NOT NULL,
    related_codes JSON NOT NULL,
    introductions JSON NOT NULL,
    CONSTRAINT pk_editions PRIMARY KEY (guide, number),
    CONSTRAINT fk_editions_guide_guides FOREIGN KEY(guide) REFERENCES guides (slug)
)

CREATE FUNCTION editions_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER editions_are_never_altered BEFORE UPDATE ON editions FOR EACH ROW EXECUTE FUNCTION editions_are_never_altered()

CREATE FUNCTION editions_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER editions_are_never_deleted BEFORE DELETE ON editions FOR EACH ROW EXECUTE FUNCTION editions_are_never_deleted()

CREATE FUNCTION editions_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER editions_are_never_emptied BEFORE TRUNCATE ON editions FOR EACH STATEMENT EXECUTE FUNCTION editions_are_never_emptied()

CREATE FUNCTION editions_are_numbered_in_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM editions WHERE guide = NEW.guide) THEN RAISE EXCEPTION 'editions are numbered 1, 2, 3 without a gap' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER editions_are_numbered_in_order BEFORE INSERT ON editions FOR EACH ROW EXECUTE FUNCTION editions_are_numbered_in_order()

CREATE FUNCTION editions_raise_the_generation() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE generation SET number = number + 1 WHERE id = 1; RETURN NULL; END $$

CREATE TRIGGER editions_raise_the_generation AFTER INSERT ON editions FOR EACH ROW EXECUTE FUNCTION editions_raise_the_generation()

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

CREATE INDEX ix_deliveries_due ON deliveries (state, due)

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
    sealed BYTEA,
    status_token_sha256 BYTEA NOT NULL,
    acknowledged_at TIMESTAMP WITH TIME ZONE,
    closed_at TIMESTAMP WITH TIME ZONE,
    outcome TEXT COLLATE "C",
    outcome_shared BOOLEAN NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE,
    overdue_told BOOLEAN NOT NULL,
    held BOOLEAN NOT NULL,
    erased_at TIMESTAMP WITH TIME ZONE,
    waiting INTEGER GENERATED ALWAYS AS (CASE state WHEN 'received' THEN 0 ELSE 1 END) STORED,
    danger INTEGER GENERATED ALWAYS AS (CASE immediate_danger WHEN 'yes' THEN 0 WHEN 'not_sure' THEN 1 ELSE 2 END) STORED,
    CONSTRAINT pk_concerns PRIMARY KEY (reference),
    CONSTRAINT fk_concerns_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number)
)

CREATE INDEX ix_concerns_state_urgency ON concerns (state, danger, acknowledge_by, reference)

CREATE INDEX ix_concerns_received ON concerns (received_at, reference)

CREATE INDEX ix_concerns_urgency ON concerns (waiting, danger, acknowledge_by, reference)

CREATE FUNCTION concerns_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a concern is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER concerns_are_never_deleted BEFORE DELETE ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_are_never_deleted()

CREATE FUNCTION concerns_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a concern is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER concerns_are_never_emptied BEFORE TRUNCATE ON concerns FOR EACH STATEMENT EXECUTE FUNCTION concerns_are_never_emptied()

CREATE FUNCTION concerns_keep_their_reference() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.reference <> OLD.reference THEN RAISE EXCEPTION 'a concern keeps its reference' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER concerns_keep_their_reference BEFORE UPDATE ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_keep_their_reference()

CREATE FUNCTION concerns_keep_what_nobody_acknowledged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT)) AND (OLD.state = 'received' OR OLD.held) THEN RAISE EXCEPTION 'a concern that is not acknowledged, or is on hold, is not erased' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER concerns_keep_what_nobody_acknowledged BEFORE UPDATE ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_keep_what_nobody_acknowledged()

CREATE FUNCTION concerns_never_go_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.state <> OLD.state AND OLD.state || NEW.state NOT IN ('receivedacknowledged', 'acknowledgedclosed') THEN RAISE EXCEPTION 'a concern is received, then acknowledged, then closed' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER concerns_never_go_back BEFORE UPDATE ON concerns FOR EACH ROW EXECUTE FUNCTION concerns_never_go_back()

CREATE TABLE withdrawals (
    guide TEXT COLLATE "C" NOT NULL,
    edition INTEGER NOT NULL,
    withdrawn_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    CONSTRAINT pk_withdrawals PRIMARY KEY (guide, edition),
    CONSTRAINT fk_withdrawals_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number)
)

CREATE FUNCTION withdrawals_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER withdrawals_are_never_altered BEFORE UPDATE ON withdrawals FOR EACH ROW EXECUTE FUNCTION withdrawals_are_never_altered()

CREATE FUNCTION withdrawals_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER withdrawals_are_never_deleted BEFORE DELETE ON withdrawals FOR EACH ROW EXECUTE FUNCTION withdrawals_are_never_deleted()

CREATE FUNCTION withdrawals_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER withdrawals_are_never_emptied BEFORE TRUNCATE ON withdrawals FOR EACH STATEMENT EXECUTE FUNCTION withdrawals_are_never_emptied()

CREATE FUNCTION withdrawals_raise_the_generation() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE generation SET number = number + 1 WHERE id = 1; RETURN NULL; END $$

CREATE TRIGGER withdrawals_raise_the_generation AFTER INSERT ON withdrawals FOR EACH ROW EXECUTE FUNCTION withdrawals_raise_the_generation()

CREATE TABLE cautions (
    guide TEXT COLLATE "C" NOT NULL,
    edition INTEGER NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    position INTEGER NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    CONSTRAINT pk_cautions PRIMARY KEY (guide, edition, id),
    CONSTRAINT fk_cautions_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT uq_cautions_guide UNIQUE (guide, edition, position)
)

CREATE FUNCTION cautions_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER cautions_are_never_altered BEFORE UPDATE ON cautions FOR EACH ROW EXECUTE FUNCTION cautions_are_never_altered()

CREATE FUNCTION cautions_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER cautions_are_never_deleted BEFORE DELETE ON cautions FOR EACH ROW EXECUTE FUNCTION cautions_are_never_deleted()

CREATE FUNCTION cautions_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER cautions_are_never_emptied BEFORE TRUNCATE ON cautions FOR EACH STATEMENT EXECUTE FUNCTION cautions_are_never_emptied()

CREATE FUNCTION cautions_are_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition) THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER cautions_are_sealed BEFORE INSERT ON cautions FOR EACH ROW EXECUTE FUNCTION cautions_are_sealed()

CREATE TABLE definitions (
    guide TEXT COLLATE "C" NOT NULL,
    edition INTEGER NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    introduction TEXT COLLATE "C",
    text TEXT COLLATE "C" NOT NULL,
    limbs JSON NOT NULL,
    source JSON,
    CONSTRAINT pk_definitions PRIMARY KEY (guide, edition, id),
    CONSTRAINT fk_definitions_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT uq_definitions_guide UNIQUE (guide, edition, position)
)

CREATE FUNCTION definitions_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER definitions_are_never_altered BEFORE UPDATE ON definitions FOR EACH ROW EXECUTE FUNCTION definitions_are_never_altered()

CREATE FUNCTION definitions_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER definitions_are_never_deleted BEFORE DELETE ON definitions FOR EACH ROW EXECUTE FUNCTION definitions_are_never_deleted()

CREATE FUNCTION definitions_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER definitions_are_never_emptied BEFORE TRUNCATE ON definitions FOR EACH STATEMENT EXECUTE FUNCTION definitions_are_never_emptied()

CREATE FUNCTION definitions_are_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition) THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER definitions_are_sealed BEFORE INSERT ON definitions FOR EACH ROW EXECUTE FUNCTION definitions_are_sealed()

CREATE TABLE factors (
    guide TEXT COLLATE "C" NOT NULL,
    edition INTEGER NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    position INTEGER NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    related_codes JSON NOT NULL,
    CONSTRAINT pk_factors PRIMARY KEY (guide, edition, id),
    CONSTRAINT fk_factors_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT uq_factors_guide UNIQUE (guide, edition, position)
)

CREATE FUNCTION factors_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER factors_are_never_altered BEFORE UPDATE ON factors FOR EACH ROW EXECUTE FUNCTION factors_are_never_altered()

CREATE FUNCTION factors_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER factors_are_never_deleted BEFORE DELETE ON factors FOR EACH ROW EXECUTE FUNCTION factors_are_never_deleted()

CREATE FUNCTION factors_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER factors_are_never_emptied BEFORE TRUNCATE ON factors FOR EACH STATEMENT EXECUTE FUNCTION factors_are_never_emptied()

CREATE FUNCTION factors_are_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition) THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER factors_are_sealed BEFORE INSERT ON factors FOR EACH ROW EXECUTE FUNCTION factors_are_sealed()

CREATE TABLE indicators (
    guide TEXT COLLATE "C" NOT NULL,
    edition INTEGER NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    position INTEGER NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    note TEXT COLLATE "C",
    related_codes JSON NOT NULL,
    CONSTRAINT pk_indicators PRIMARY KEY (guide, edition, id),
    CONSTRAINT fk_indicators_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT uq_indicators_guide UNIQUE (guide, edition, position)
)

CREATE FUNCTION indicators_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER indicators_are_never_altered BEFORE UPDATE ON indicators FOR EACH ROW EXECUTE FUNCTION indicators_are_never_altered()

CREATE FUNCTION indicators_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER indicators_are_never_deleted BEFORE DELETE ON indicators FOR EACH ROW EXECUTE FUNCTION indicators_are_never_deleted()

CREATE FUNCTION indicators_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER indicators_are_never_emptied BEFORE TRUNCATE ON indicators FOR EACH STATEMENT EXECUTE FUNCTION indicators_are_never_emptied()

CREATE FUNCTION indicators_are_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition) THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER indicators_are_sealed BEFORE INSERT ON indicators FOR EACH ROW EXECUTE FUNCTION indicators_are_sealed()

CREATE TABLE linked_risks (
    guide TEXT COLLATE "C" NOT NULL,
    edition INTEGER NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    position INTEGER NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    related_codes JSON NOT NULL,
    CONSTRAINT pk_linked_risks PRIMARY KEY (guide, edition, id),
    CONSTRAINT fk_linked_risks_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT uq_linked_risks_guide UNIQUE (guide, edition, position)
)

CREATE FUNCTION linked_risks_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER linked_risks_are_never_altered BEFORE UPDATE ON linked_risks FOR EACH ROW EXECUTE FUNCTION linked_risks_are_never_altered()

CREATE FUNCTION linked_risks_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER linked_risks_are_never_deleted BEFORE DELETE ON linked_risks FOR EACH ROW EXECUTE FUNCTION linked_risks_are_never_deleted()

CREATE FUNCTION linked_risks_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER linked_risks_are_never_emptied BEFORE TRUNCATE ON linked_risks FOR EACH STATEMENT EXECUTE FUNCTION linked_risks_are_never_emptied()

CREATE FUNCTION linked_risks_are_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition) THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER linked_risks_are_sealed BEFORE INSERT ON linked_risks FOR EACH ROW EXECUTE FUNCTION linked_risks_are_sealed()

CREATE TABLE responsibilities (
    guide TEXT COLLATE "C" NOT NULL,
    edition INTEGER NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    position INTEGER NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    CONSTRAINT pk_responsibilities PRIMARY KEY (guide, edition, id),
    CONSTRAINT fk_responsibilities_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT uq_responsibilities_guide UNIQUE (guide, edition, position)
)

CREATE FUNCTION responsibilities_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER responsibilities_are_never_altered BEFORE UPDATE ON responsibilities FOR EACH ROW EXECUTE FUNCTION responsibilities_are_never_altered()

CREATE FUNCTION responsibilities_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER responsibilities_are_never_deleted BEFORE DELETE ON responsibilities FOR EACH ROW EXECUTE FUNCTION responsibilities_are_never_deleted()

CREATE FUNCTION responsibilities_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER responsibilities_are_never_emptied BEFORE TRUNCATE ON responsibilities FOR EACH STATEMENT EXECUTE FUNCTION responsibilities_are_never_emptied()

CREATE FUNCTION responsibilities_are_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition) THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER responsibilities_are_sealed BEFORE INSERT ON responsibilities FOR EACH ROW EXECUTE FUNCTION responsibilities_are_sealed()

CREATE TABLE contacts (
    guide TEXT COLLATE "C" NOT NULL,
    edition INTEGER NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    position INTEGER NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    phones JSON NOT NULL,
    url TEXT COLLATE "C",
    "when" TEXT COLLATE "C",
    verified_on DATE,
    CONSTRAINT pk_contacts PRIMARY KEY (guide, edition, id),
    CONSTRAINT fk_contacts_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT uq_contacts_guide UNIQUE (guide, edition, position)
)

CREATE FUNCTION contacts_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER contacts_are_never_altered BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION contacts_are_never_altered()

CREATE FUNCTION contacts_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER contacts_are_never_deleted BEFORE DELETE ON contacts FOR EACH ROW EXECUTE FUNCTION contacts_are_never_deleted()

CREATE FUNCTION contacts_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER contacts_are_never_emptied BEFORE TRUNCATE ON contacts FOR EACH STATEMENT EXECUTE FUNCTION contacts_are_never_emptied()

CREATE FUNCTION contacts_are_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM editions WHERE guide = NEW.guide AND number = NEW.edition) THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER contacts_are_sealed BEFORE INSERT ON contacts FOR EACH ROW EXECUTE FUNCTION contacts_are_sealed()

CREATE TABLE additions (
    reference TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recipients JSON NOT NULL,
    sealed BYTEA,
    CONSTRAINT pk_additions PRIMARY KEY (reference, number),
    CONSTRAINT fk_additions_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE FUNCTION additions_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'an addition is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER additions_are_never_deleted BEFORE DELETE ON additions FOR EACH ROW EXECUTE FUNCTION additions_are_never_deleted()

CREATE FUNCTION additions_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'an addition is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER additions_are_never_emptied BEFORE TRUNCATE ON additions FOR EACH STATEMENT EXECUTE FUNCTION additions_are_never_emptied()

CREATE FUNCTION additions_keep_what_nobody_acknowledged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NULL OR CAST(NEW.recipients AS TEXT) = CAST(OLD.recipients AS TEXT)) AND EXISTS (SELECT 1 FROM concerns WHERE reference = OLD.reference AND (state = 'received' OR held)) THEN RAISE EXCEPTION 'an addition to a concern that is not acknowledged, or is on hold, is not erased' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER additions_keep_what_nobody_acknowledged BEFORE UPDATE ON additions FOR EACH ROW EXECUTE FUNCTION additions_keep_what_nobody_acknowledged()

CREATE TABLE kept_receipts (
    key_sha256 BYTEA NOT NULL,
    payload_mac BYTEA NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    sealed_receipt BYTEA NOT NULL,
    CONSTRAINT pk_kept_receipts PRIMARY KEY (key_sha256),
    CONSTRAINT fk_kept_receipts_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE INDEX ix_kept_receipts_reference ON kept_receipts (reference)
