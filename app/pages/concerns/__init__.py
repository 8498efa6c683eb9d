"""Web pages of concerns: raising a concern, the status of a concern, and additions."""
