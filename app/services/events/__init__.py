"""Events: payloads, webhooks and their delivery."""
