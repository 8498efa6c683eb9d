"""The doctor: checks of a set-up, each with what it found, what to do, and where to read."""
