"""The form for raising a concern."""
