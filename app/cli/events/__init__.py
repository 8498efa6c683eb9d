"""Commands about events: webhooks, and the delivery of events."""
