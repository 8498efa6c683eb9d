"""The history of the schema: each revision is its SQL, for either database."""
