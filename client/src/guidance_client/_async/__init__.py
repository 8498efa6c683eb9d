"""The client. The package `_sync` is made from `_async`."""
