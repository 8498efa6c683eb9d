ALTER TABLE editions ADD COLUMN subjects JSON DEFAULT '[]' NOT NULL

CREATE TABLE renditions (
    guide VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    edition INTEGER NOT NULL,
    published_at DATETIME NOT NULL,
    digest VARCHAR NOT NULL,
    content JSON NOT NULL,
    CONSTRAINT pk_renditions PRIMARY KEY (guide, language, number),
    CONSTRAINT fk_renditions_guide_editions FOREIGN KEY(guide, edition) REFERENCES editions (guide, number)
)

CREATE TRIGGER renditions_are_never_altered BEFORE UPDATE ON renditions WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER renditions_are_never_deleted BEFORE DELETE ON renditions WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER renditions_are_never_replaced BEFORE INSERT ON renditions WHEN EXISTS (SELECT 1 FROM renditions WHERE (guide = NEW.guide AND language = NEW.language AND number = NEW.number) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER renditions_are_numbered_in_order BEFORE INSERT ON renditions WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM renditions WHERE guide = NEW.guide AND language = NEW.language) BEGIN SELECT RAISE(ABORT, 'renditions in a language are numbered 1, 2, 3 without a gap'); END

CREATE TRIGGER renditions_raise_the_generation AFTER INSERT ON renditions BEGIN UPDATE generation SET number = number + 1 WHERE id = 1; END

CREATE TABLE rendition_withdrawals (
    guide VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    withdrawn_at DATETIME NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT pk_rendition_withdrawals PRIMARY KEY (guide, language, number),
    CONSTRAINT fk_rendition_withdrawals_guide_renditions FOREIGN KEY(guide, language, number) REFERENCES renditions (guide, language, number)
)

CREATE TRIGGER rendition_withdrawals_are_never_altered BEFORE UPDATE ON rendition_withdrawals WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER rendition_withdrawals_are_never_deleted BEFORE DELETE ON rendition_withdrawals WHEN TRUE BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER rendition_withdrawals_are_never_replaced BEFORE INSERT ON rendition_withdrawals WHEN EXISTS (SELECT 1 FROM rendition_withdrawals WHERE (guide = NEW.guide AND language = NEW.language AND number = NEW.number) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a published edition never changes'); END

CREATE TRIGGER rendition_withdrawals_raise_the_generation AFTER INSERT ON rendition_withdrawals BEGIN UPDATE generation SET number = number + 1 WHERE id = 1; END
