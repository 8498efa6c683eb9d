"""The ports on which a command tries to listen."""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.errors import SetupError

PORT, PORTS_TO_TRY = 8000, 10


def ports_from(named: int | None, first: int, tries: int = PORTS_TO_TRY) -> Sequence[int]:
    return range(first, first + tries) if named is None else (named,)


@contextmanager
def listening_at(ports: Sequence[int]) -> Iterator[None]:
    """Raise `SetupError` with the remedy if the ports are in use."""
    try:
        yield
    except OSError as failure:
        if failure.errno != errno.EADDRINUSE:
            raise
        raise SetupError(
            f'Port {ports[0]} is in use by another program: choose another with --port (make serve ARGS="--port 9000").'
        ) from None
