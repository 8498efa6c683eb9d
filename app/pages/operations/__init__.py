"""Web pages of operation: jobs, backups, integrity checks and the doctor."""
