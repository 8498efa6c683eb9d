"""Concerns: submission, receipts, sealing, retention."""
