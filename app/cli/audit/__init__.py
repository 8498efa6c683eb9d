"""Commands about the audit log and receipts."""
