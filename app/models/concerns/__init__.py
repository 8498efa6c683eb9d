"""Tables, requests and responses of concerns: submission, receipts, entries and sealing."""
