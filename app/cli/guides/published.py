"""Database sessions for commands that read the published guides."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from app.cli.options import NO_DATABASE, open_engine
from app.config import Settings
from app.db.database import DATABASE_FILE
from app.db.schema import is_behind
from app.errors import DatabaseUnreadable, SchemaBehind, SetupError


@contextmanager
def open_published(settings: Settings) -> Iterator[Session | None]:
    """Yield a session that reads published editions, or None if there is no database yet.

    Raise `DatabaseUnreadable`, and the errors of `is_behind`.
    """
    if settings.database_url is None and not (settings.data_dir / DATABASE_FILE).exists():
        yield None
        return
    with open_engine(settings) as engine, Session(engine) as session:
        try:
            if is_behind(engine):
                raise SchemaBehind
            yield session
        except DBAPIError:
            raise DatabaseUnreadable from None


@contextmanager
def open_editions(settings: Settings) -> Iterator[Session]:
    """Same as `open_published`, but raise `SetupError` if there is no database."""
    with open_published(settings) as session:
        if session is None:
            raise SetupError(NO_DATABASE.format(folder=settings.data_dir))
        yield session
