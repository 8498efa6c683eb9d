"""Web pages of guides: reading and searching them, and writing drafts."""
