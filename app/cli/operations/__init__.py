"""Commands of operation: serving, health, backups, verification and migration."""
