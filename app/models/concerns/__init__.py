"""Models of concerns: tables, requests and responses for concerns, entries, cards, saved forms and status tokens."""
