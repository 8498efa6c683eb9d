ALTER TABLE editions ADD COLUMN subjects JSON DEFAULT '[]' NOT NULL

CREATE TABLE renditions (
    guide TEXT COLLATE "C" NOT NULL,
    language TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    edition INTEGER NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    content JSON NOT NULL,
    CONSTRAINT pk_renditions PRIMARY KEY (guide, language, number),
    CONSTRAINT fk_renditions_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number)
)

CREATE FUNCTION renditions_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER renditions_are_never_altered BEFORE UPDATE ON renditions FOR EACH ROW EXECUTE FUNCTION renditions_are_never_altered()

CREATE FUNCTION renditions_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER renditions_are_never_deleted BEFORE DELETE ON renditions FOR EACH ROW EXECUTE FUNCTION renditions_are_never_deleted()

CREATE FUNCTION renditions_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER renditions_are_never_emptied BEFORE TRUNCATE ON renditions FOR EACH STATEMENT EXECUTE FUNCTION renditions_are_never_emptied()

CREATE FUNCTION renditions_are_numbered_in_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM renditions WHERE guide = NEW.guide AND language = NEW.language) THEN RAISE EXCEPTION 'renditions in a language are numbered 1, 2, 3 without a gap' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER renditions_are_numbered_in_order BEFORE INSERT ON renditions FOR EACH ROW EXECUTE FUNCTION renditions_are_numbered_in_order()

CREATE FUNCTION renditions_raise_the_generation() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE generation SET number = number + 1 WHERE id = 1; RETURN NULL; END $$

CREATE TRIGGER renditions_raise_the_generation AFTER INSERT ON renditions FOR EACH ROW EXECUTE FUNCTION renditions_raise_the_generation()

CREATE TABLE rendition_withdrawals (
    guide TEXT COLLATE "C" NOT NULL,
    language TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    withdrawn_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    CONSTRAINT pk_rendition_withdrawals PRIMARY KEY (guide, language, number),
    CONSTRAINT fk_rendition_withdrawals_guide_renditions FOREIGN KEY(guide, language, number) REFERENCES renditions (guide, language, number)
)

CREATE FUNCTION rendition_withdrawals_are_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$

CREATE TRIGGER rendition_withdrawals_are_never_altered BEFORE UPDATE ON rendition_withdrawals FOR EACH ROW EXECUTE FUNCTION rendition_withdrawals_are_never_altered()

CREATE FUNCTION rendition_withdrawals_are_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TRUE THEN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$

CREATE TRIGGER rendition_withdrawals_are_never_deleted BEFORE DELETE ON rendition_withdrawals FOR EACH ROW EXECUTE FUNCTION rendition_withdrawals_are_never_deleted()

CREATE FUNCTION rendition_withdrawals_are_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a published edition never changes' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER rendition_withdrawals_are_never_emptied BEFORE TRUNCATE ON rendition_withdrawals FOR EACH STATEMENT EXECUTE FUNCTION rendition_withdrawals_are_never_emptied()

CREATE FUNCTION rendition_withdrawals_raise_the_generation() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE generation SET number = number + 1 WHERE id = 1; RETURN NULL; END $$

CREATE TRIGGER rendition_withdrawals_raise_the_generation AFTER INSERT ON rendition_withdrawals FOR EACH ROW EXECUTE FUNCTION rendition_withdrawals_raise_the_generation()
