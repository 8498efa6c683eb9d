"""Guidance: publishing, seed files, reference data, the service directory."""
