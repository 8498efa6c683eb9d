"""Tables, requests and responses of events: the outbox, webhooks and emails."""
