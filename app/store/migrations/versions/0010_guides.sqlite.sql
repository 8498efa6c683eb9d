ALTER TABLE editions ADD COLUMN owner TEXT

ALTER TABLE editions ADD COLUMN applies_to TEXT

ALTER TABLE contacts ADD COLUMN email TEXT

ALTER TABLE contacts ADD COLUMN text_relay TEXT

ALTER TABLE contacts ADD COLUMN address JSON

ALTER TABLE contacts ADD COLUMN opening_hours JSON DEFAULT '[]' NOT NULL
