"""The entry point of `python -m app.cli`, which does the same as `guidance`."""

from app.cli import main

main()
