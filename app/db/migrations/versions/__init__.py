"""One file for each revision, by number."""
