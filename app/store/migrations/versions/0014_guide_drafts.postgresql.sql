CREATE TABLE guide_drafts (
    guide TEXT COLLATE "C" NOT NULL,
    version INTEGER NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    begun_at TIMESTAMP WITH TIME ZONE NOT NULL,
    written_at TIMESTAMP WITH TIME ZONE NOT NULL,
    written_by TEXT COLLATE "C" NOT NULL,
    offered_at TIMESTAMP WITH TIME ZONE,
    offered_by TEXT COLLATE "C",
    CONSTRAINT pk_guide_drafts PRIMARY KEY (guide)
)

CREATE TABLE guide_draft_acts (
    guide TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    act TEXT COLLATE "C" NOT NULL,
    by TEXT COLLATE "C" NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    CONSTRAINT pk_guide_draft_acts PRIMARY KEY (guide, number)
)

CREATE FUNCTION guide_draft_acts_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'who wrote, offered and published a draft stays on record' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER guide_draft_acts_are_never_altered BEFORE UPDATE ON guide_draft_acts FOR EACH ROW EXECUTE FUNCTION guide_draft_acts_are_never_altered()

CREATE FUNCTION guide_draft_acts_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'who wrote, offered and published a draft stays on record' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER guide_draft_acts_are_never_deleted BEFORE DELETE ON guide_draft_acts FOR EACH ROW EXECUTE FUNCTION guide_draft_acts_are_never_deleted()

CREATE FUNCTION guide_draft_acts_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'who wrote, offered and published a draft stays on record' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER guide_draft_acts_are_never_emptied BEFORE TRUNCATE ON guide_draft_acts FOR EACH STATEMENT EXECUTE FUNCTION guide_draft_acts_are_never_emptied()
