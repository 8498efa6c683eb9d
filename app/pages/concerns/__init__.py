"""Web pages of concerns: raising a concern, its status, and additions."""
