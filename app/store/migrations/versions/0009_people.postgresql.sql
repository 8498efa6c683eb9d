CREATE TABLE people (
    name TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C",
    handle BYTEA NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    left_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_people PRIMARY KEY (name)
)

CREATE TABLE invitations (
    token_sha256 BYTEA NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_invitations PRIMARY KEY (token_sha256),
    CONSTRAINT fk_invitations_person_people FOREIGN KEY(person) REFERENCES people (name)
)

CREATE TABLE passkey_challenges (
    challenge BYTEA NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_passkey_challenges PRIMARY KEY (challenge)
)

CREATE TABLE passkeys (
    credential_id BYTEA NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    public_key BYTEA NOT NULL,
    sign_count BIGINT NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_passkeys PRIMARY KEY (credential_id),
    CONSTRAINT fk_passkeys_person_people FOREIGN KEY(person) REFERENCES people (name)
)

CREATE TABLE desk_sessions (
    token_sha256 BYTEA NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_used_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_desk_sessions PRIMARY KEY (token_sha256),
    CONSTRAINT fk_desk_sessions_person_people FOREIGN KEY(person) REFERENCES people (name)
)
