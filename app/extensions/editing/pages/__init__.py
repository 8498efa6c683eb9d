"""Web pages of editors."""
