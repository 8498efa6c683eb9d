"""Web pages of guides: reading and searching guides, and writing drafts."""
