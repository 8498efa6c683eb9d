"""Web pages about the service itself: the API documentation, and the status page."""
