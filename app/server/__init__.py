"""The server: its processes, and what answers before it."""
