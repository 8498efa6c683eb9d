CREATE TABLE inbox_looks (
    person VARCHAR NOT NULL,
    looked_at DATETIME NOT NULL,
    CONSTRAINT pk_inbox_looks PRIMARY KEY (person)
)
