"""Guidance: the content of editions, their tables and responses."""
