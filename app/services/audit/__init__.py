"""Operations and queries of the audit log."""
