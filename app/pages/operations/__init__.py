"""Web pages for developers of API clients: the API documentation."""
