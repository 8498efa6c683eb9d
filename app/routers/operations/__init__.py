"""API routes of operation: jobs, backups, integrity checks and the doctor."""
