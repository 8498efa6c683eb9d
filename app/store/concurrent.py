"""Operations that run while other nodes write: each locks the chains of what it reads and changes."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from sqlmodel import Session

from app.store.write_queue import ConcurrentWrite
from app.store.writer import Writer

_T = TypeVar("_T")
_P = ParamSpec("_P")


def concern_operation(
    operation: Callable[Concatenate[Session, str, _P], _T],
) -> Callable[Concatenate[Writer, str, _P], _T]:
    """Make the function of a session and a reference an operation on that concern, which takes turns with others."""

    @wraps(operation)
    def run(writer: Writer, reference: str, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return writer.run(ConcurrentWrite(lambda session: operation(session, reference, *args, **kwargs), (reference,)))

    return run


def concurrent_operation(
    *chains: str,
) -> Callable[[Callable[Concatenate[Session, _P], _T]], Callable[Concatenate[Writer, _P], _T]]:
    """Make the function of a session a concurrent operation, which locks those chains."""

    def decorate(operation: Callable[Concatenate[Session, _P], _T]) -> Callable[Concatenate[Writer, _P], _T]:
        @wraps(operation)
        def run(writer: Writer, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
            return writer.run(ConcurrentWrite(lambda session: operation(session, *args, **kwargs), chains))

        return run

    return decorate
