"""The database that an editor's file is compared with: read, and never made."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from app.cli.options import open_engine
from app.config import Settings
from app.errors import DatabaseUnreadable, SchemaBehind
from app.store.database import DATABASE_FILE
from app.store.schema import is_behind


@contextmanager
def open_published(settings: Settings) -> Iterator[Session | None]:
    """Yield a session that reads, or None if there is no database yet."""
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
