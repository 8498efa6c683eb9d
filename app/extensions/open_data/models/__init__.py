"""Responses of the open data."""
