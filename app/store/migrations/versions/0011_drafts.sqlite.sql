CREATE TABLE drafts (
    draft_id BLOB NOT NULL,
    sealed BLOB NOT NULL,
    expires_at DATETIME NOT NULL,
    opened_by_sha256 BLOB,
    CONSTRAINT pk_drafts PRIMARY KEY (draft_id)
)

CREATE INDEX ix_drafts_expires_at ON drafts (expires_at)
