"""Commands of concerns: submission, receipts, entries and sealing."""
