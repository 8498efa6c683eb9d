# Made by client/generate.py: change what it is made from, and make it again.
"""The client. The package `_sync` is made from `_sync`."""
