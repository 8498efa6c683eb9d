"""The age format (age-encryption.org/v1): its files, keys and errors. Nothing here knows about concerns."""
