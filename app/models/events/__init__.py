"""Events: the outbox tables and the responses."""
