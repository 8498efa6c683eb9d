"""Operations: backup, verification and background workers."""
