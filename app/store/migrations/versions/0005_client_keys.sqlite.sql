CREATE TABLE former_clients AS SELECT name, key_sha256, scopes, added_at, revoked_at FROM clients

DROP TABLE clients

CREATE TABLE clients (
    name VARCHAR NOT NULL,
    scopes JSON NOT NULL,
    added_at DATETIME NOT NULL,
    revoked_at DATETIME,
    person VARCHAR,
    CONSTRAINT pk_clients PRIMARY KEY (name)
)

CREATE TABLE client_keys (
    key_sha256 BLOB NOT NULL,
    client VARCHAR NOT NULL,
    added_at DATETIME NOT NULL,
    expires_at DATETIME,
    last_used_at DATETIME,
    CONSTRAINT pk_client_keys PRIMARY KEY (key_sha256),
    CONSTRAINT fk_client_keys_client_clients FOREIGN KEY(client) REFERENCES clients (name)
)

INSERT INTO clients (name, scopes, added_at, revoked_at) SELECT name, scopes, added_at, revoked_at FROM former_clients

INSERT INTO client_keys (key_sha256, client, added_at) SELECT key_sha256, name, added_at FROM former_clients

DROP TABLE former_clients
