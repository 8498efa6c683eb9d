"""Commands of operation: serving, health, backups, verification, migration and the doctor."""
