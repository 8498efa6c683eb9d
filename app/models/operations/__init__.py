"""Responses about the health of the service, and about problems."""
