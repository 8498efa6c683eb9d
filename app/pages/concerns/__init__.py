"""Web pages of concerns: submission, receipts, entries and sealing."""
