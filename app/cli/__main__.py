"""`python -m app.cli` is `guidance`."""

from app.cli import main

main()
