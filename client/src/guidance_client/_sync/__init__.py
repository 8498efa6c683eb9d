# Made by client/generate.py: change what it is made from, and make it again.
"""The client and its connections. `client/generate.py` makes the synchronous package from the asynchronous one."""
