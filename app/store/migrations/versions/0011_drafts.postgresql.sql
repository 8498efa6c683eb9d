CREATE TABLE drafts (
    draft_id BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    opened_by_sha256 BYTEA,
    CONSTRAINT pk_drafts PRIMARY KEY (draft_id)
)

CREATE INDEX ix_drafts_expires_at ON drafts (expires_at)
