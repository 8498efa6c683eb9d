CREATE TABLE inbox_looks (
    person TEXT COLLATE "C" NOT NULL,
    looked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_inbox_looks PRIMARY KEY (person)
)
