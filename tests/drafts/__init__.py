"""Drafts of guides."""
