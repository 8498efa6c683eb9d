"""The audit log: writing and reading of entries, hash chains, replay, and the clock that retention relies on."""
