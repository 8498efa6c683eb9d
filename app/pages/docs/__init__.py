"""Pages for developers."""
