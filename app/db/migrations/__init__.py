"""The revisions of the schema since the first release."""
