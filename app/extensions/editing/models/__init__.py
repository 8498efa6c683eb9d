"""Responses about drafts."""
