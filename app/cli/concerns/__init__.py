"""Commands about the keys that encrypt concerns and webhook secrets, and that sign access rows."""
