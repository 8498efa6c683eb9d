"""API routes of events."""
