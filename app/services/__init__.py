"""The operations of the domain: only they change state."""
