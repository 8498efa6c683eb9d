"""Operations and queries of operation: jobs, backups, integrity checks and the doctor."""
