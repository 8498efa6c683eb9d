"""The server: its processes, and the responses that it sends before the service is reached."""
