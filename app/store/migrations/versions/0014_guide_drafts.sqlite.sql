CREATE TABLE guide_drafts (
    guide VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,
    begun_at DATETIME NOT NULL,
    written_at DATETIME NOT NULL,
    written_by VARCHAR NOT NULL,
    offered_at DATETIME,
    offered_by VARCHAR,
    CONSTRAINT pk_guide_drafts PRIMARY KEY (guide)
)

CREATE TABLE guide_draft_acts (
    guide VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    act VARCHAR NOT NULL,
    "by" VARCHAR NOT NULL,
    at DATETIME NOT NULL,
    digest VARCHAR NOT NULL,
    CONSTRAINT pk_guide_draft_acts PRIMARY KEY (guide, number)
)

CREATE TRIGGER guide_draft_acts_are_never_altered BEFORE UPDATE ON guide_draft_acts WHEN TRUE BEGIN SELECT RAISE(ABORT, 'who wrote, offered and published a draft stays on record'); END

CREATE TRIGGER guide_draft_acts_are_never_deleted BEFORE DELETE ON guide_draft_acts WHEN TRUE BEGIN SELECT RAISE(ABORT, 'who wrote, offered and published a draft stays on record'); END

CREATE TRIGGER guide_draft_acts_are_never_replaced BEFORE INSERT ON guide_draft_acts WHEN EXISTS (SELECT 1 FROM guide_draft_acts WHERE (guide = NEW.guide AND number = NEW.number) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'who wrote, offered and published a draft stays on record'); END
