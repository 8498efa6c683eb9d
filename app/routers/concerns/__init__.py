"""API routes of concerns: submission, receipts, entries and sealing."""
