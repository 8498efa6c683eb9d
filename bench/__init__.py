"""Benchmarks that measure the service beside other programs, in one run: `make bench`."""
