"""ASGI middleware, one purpose a file."""
