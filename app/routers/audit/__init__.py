"""API routes of the audit log."""
