"""Operations and queries of events: the outbox, webhooks and emails."""
