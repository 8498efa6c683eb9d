"""API routes of events: the outbox, webhooks and emails."""
