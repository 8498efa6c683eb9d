"""Serving over HTTP: processes, connections and a graceful stop."""
