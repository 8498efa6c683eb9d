"""The age format (age-encryption.org/v1): its files, its keys, and the errors of both. It knows nothing of concerns."""
