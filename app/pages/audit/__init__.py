"""Web pages of the audit log."""
