"""Commands of events: the outbox, webhooks and emails."""
