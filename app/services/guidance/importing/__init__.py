"""Drafts of guides from documents: Word, Markdown, and the Markdown that this service exports."""
