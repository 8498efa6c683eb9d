"""The typed client in `client/`."""
