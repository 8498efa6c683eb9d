"""The database: connecting, the writer, queries."""
