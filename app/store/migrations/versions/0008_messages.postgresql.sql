ALTER TABLE concerns ADD COLUMN message_key BYTEA

ALTER TABLE concerns ADD COLUMN due_soon_announced BOOLEAN DEFAULT false NOT NULL

ALTER TABLE additions ADD COLUMN due_soon_announced BOOLEAN DEFAULT false NOT NULL

CREATE OR REPLACE FUNCTION concerns_keep_what_was_received() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.acknowledge_by IS DISTINCT FROM OLD.acknowledge_by OR NEW.guide IS DISTINCT FROM OLD.guide OR NEW.edition IS DISTINCT FROM OLD.edition OR NEW.referral_source IS DISTINCT FROM OLD.referral_source OR NEW.form_version IS DISTINCT FROM OLD.form_version OR NEW.status_token_sha256 IS DISTINCT FROM OLD.status_token_sha256 OR NEW.test IS DISTINCT FROM OLD.test OR NEW.message_key IS DISTINCT FROM OLD.message_key OR OLD.acknowledged_at IS NOT NULL AND NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at OR OLD.closed_at IS NOT NULL AND NEW.closed_at IS DISTINCT FROM OLD.closed_at OR OLD.erased_at IS NOT NULL AND NEW.erased_at IS DISTINCT FROM OLD.erased_at OR OLD.outcome IS NOT NULL AND NEW.outcome IS DISTINCT FROM OLD.outcome OR (CASE NEW.immediate_danger WHEN 'yes' THEN 2 WHEN 'not_sure' THEN 1 ELSE 0 END < CASE OLD.immediate_danger WHEN 'yes' THEN 2 WHEN 'not_sure' THEN 1 ELSE 0 END) THEN RAISE EXCEPTION 'what was received is never altered' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TABLE messages (
    reference TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sealed BYTEA,
    read_at TIMESTAMP WITH TIME ZONE,
    answered_by INTEGER,
    CONSTRAINT pk_messages PRIMARY KEY (reference, number),
    CONSTRAINT fk_messages_reference_concerns FOREIGN KEY(reference) REFERENCES concerns (reference)
)

CREATE FUNCTION messages_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a message is never deleted' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER messages_are_never_deleted BEFORE DELETE ON messages FOR EACH ROW EXECUTE FUNCTION messages_are_never_deleted()

CREATE FUNCTION messages_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a message is never deleted' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER messages_are_never_emptied BEFORE TRUNCATE ON messages FOR EACH STATEMENT EXECUTE FUNCTION messages_are_never_emptied()

CREATE FUNCTION messages_keep_what_they_are() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.reference IS DISTINCT FROM OLD.reference OR NEW.number IS DISTINCT FROM OLD.number OR NEW.sent_at IS DISTINCT FROM OLD.sent_at THEN RAISE EXCEPTION 'a message keeps its number and its time' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER messages_keep_what_they_are BEFORE UPDATE ON messages FOR EACH ROW EXECUTE FUNCTION messages_keep_what_they_are()

CREATE FUNCTION messages_come_unread() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NOT (NEW.sealed IS NOT NULL AND NEW.read_at IS NULL AND NEW.answered_by IS NULL) OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'message_sent' THEN RAISE EXCEPTION 'a message changes only with its disclosure' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER messages_come_unread BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION messages_come_unread()

CREATE FUNCTION messages_change_with_their_disclosure() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.read_at IS DISTINCT FROM OLD.read_at AND (OLD.read_at IS NOT NULL OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'message_read') OR NEW.answered_by IS DISTINCT FROM OLD.answered_by AND (OLD.answered_by IS NOT NULL OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'added') OR NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NOT NULL OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'erased') THEN RAISE EXCEPTION 'a message changes only with its disclosure' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER messages_change_with_their_disclosure BEFORE UPDATE ON messages FOR EACH ROW EXECUTE FUNCTION messages_change_with_their_disclosure()

CREATE TABLE email_state (
    id SERIAL NOT NULL,
    sent_up_to INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_email_state PRIMARY KEY (id)
)

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

CREATE FUNCTION hand_overs_come_with_their_disclosure() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (NEW.their_receipt IS NOT NULL OR NEW.confirmed_at IS NOT NULL) OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'handed_over' THEN RAISE EXCEPTION 'a hand-over changes only with its disclosure' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER hand_overs_come_with_their_disclosure BEFORE INSERT ON hand_overs FOR EACH ROW EXECUTE FUNCTION hand_overs_come_with_their_disclosure()

CREATE FUNCTION hand_overs_are_confirmed_on_the_record() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (NEW.their_receipt IS DISTINCT FROM OLD.their_receipt OR NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at) AND (OLD.their_receipt IS NOT NULL OR coalesce((SELECT act FROM disclosures WHERE chain = NEW.reference ORDER BY number DESC LIMIT 1), 'none') <> 'hand_over_confirmed') THEN RAISE EXCEPTION 'a hand-over changes only with its disclosure' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER hand_overs_are_confirmed_on_the_record BEFORE UPDATE ON hand_overs FOR EACH ROW EXECUTE FUNCTION hand_overs_are_confirmed_on_the_record()
