"""The commands `doctor`, `setup` and `copy`."""
