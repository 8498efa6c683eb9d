"""The client and its connections. `client/generate.py` makes the synchronous package from the asynchronous one."""
