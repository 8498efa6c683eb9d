"""Web pages for signing in to the desk."""
