CREATE TABLE people (
    name VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    provider VARCHAR,
    handle BLOB NOT NULL,
    added_at DATETIME NOT NULL,
    left_at DATETIME,
    CONSTRAINT pk_people PRIMARY KEY (name)
)

CREATE TABLE invitations (
    token_sha256 BLOB NOT NULL,
    person VARCHAR NOT NULL,
    expires_at DATETIME NOT NULL,
    CONSTRAINT pk_invitations PRIMARY KEY (token_sha256),
    CONSTRAINT fk_invitations_person_people FOREIGN KEY(person) REFERENCES people (name)
)

CREATE TABLE passkey_challenges (
    challenge BLOB NOT NULL,
    expires_at DATETIME NOT NULL,
    CONSTRAINT pk_passkey_challenges PRIMARY KEY (challenge)
)

CREATE TABLE passkeys (
    credential_id BLOB NOT NULL,
    person VARCHAR NOT NULL,
    public_key BLOB NOT NULL,
    sign_count BIGINT NOT NULL,
    added_at DATETIME NOT NULL,
    CONSTRAINT pk_passkeys PRIMARY KEY (credential_id),
    CONSTRAINT fk_passkeys_person_people FOREIGN KEY(person) REFERENCES people (name)
)

CREATE TABLE desk_sessions (
    token_sha256 BLOB NOT NULL,
    person VARCHAR NOT NULL,
    client VARCHAR NOT NULL,
    started_at DATETIME NOT NULL,
    last_used_at DATETIME NOT NULL,
    CONSTRAINT pk_desk_sessions PRIMARY KEY (token_sha256),
    CONSTRAINT fk_desk_sessions_person_people FOREIGN KEY(person) REFERENCES people (name)
)
