"""Concerns: what a reporter sends, the tables and the responses."""
