"""The ports on which a command tries to listen."""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.errors import SetupError

PORT, PORTS_TO_TRY = 8000, 10


def ports_from(named: int | None, first: int, tries: int = PORTS_TO_TRY) -> Sequence[int]:
    """Return the ports to try: only `named` or, if `named` is None, `tries` consecutive ports from `first` on."""
    return range(first, first + tries) if named is None else (named,)


@contextmanager
def listening_at(ports: Sequence[int]) -> Iterator[None]:
    """Within the `with` block, raise `SetupError` with the remedy in place of the `OSError` that a port is in use.

    `ports` are the ports on which the block tries to listen. The message names the first.
    """
    try:
        yield
    except OSError as failure:
        if failure.errno != errno.EADDRINUSE:
            raise
        raise SetupError(
            f'Port {ports[0]} is in use by another program: choose another with --port (make serve ARGS="--port 9000").'
        ) from None
