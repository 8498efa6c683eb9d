CREATE TABLE client_keys (
    key_sha256 BYTEA NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_client_keys PRIMARY KEY (key_sha256),
    CONSTRAINT fk_client_keys_client_clients FOREIGN KEY(client) REFERENCES clients (name)
)

INSERT INTO client_keys (key_sha256, client, added_at) SELECT key_sha256, name, added_at FROM clients

ALTER TABLE clients DROP COLUMN key_sha256

ALTER TABLE clients ADD COLUMN person TEXT COLLATE "C"
