"""The guidance as tools of the Model Context Protocol, which assistants read."""
