"""Operations and queries of concerns: submission, receipts, entries and sealing."""
