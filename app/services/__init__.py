"""The acts: the only place that changes state."""
