"""The words: what is parsed, what is answered, and the tables."""
