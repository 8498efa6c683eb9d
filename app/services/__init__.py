"""The operations of the domain. Only they change state."""
