"""Clients, keys and rate limits."""
