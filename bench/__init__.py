"""Measures the service beside baselines in the same run: `make bench`."""
