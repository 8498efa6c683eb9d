"""The static export: every public read as a plain file."""
