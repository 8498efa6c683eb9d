"""The page that shows the status of a concern."""
