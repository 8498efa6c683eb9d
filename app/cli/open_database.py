"""The database, its writer and its published guides, as commands open them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from app import config
from app.config import Settings
from app.db.database import DATABASE_FILE, open_database
from app.db.schema import is_behind, prepare_schema
from app.db.writer import Writer
from app.errors import DatabaseUnreadable, SchemaBehind, SetupError
from app.logs import set_up_logs
from app.services.access.row_signing import open_access_keys

NO_DATABASE = (
    "there is no database in {folder}. Check --data-dir, or GUIDANCE_DATA_DIR. `guidance serve` makes a new database."
)


def _is_missing(settings: Settings) -> bool:
    return settings.database_address is None and not (settings.data_dir / DATABASE_FILE).is_file()


@contextmanager
def open_engine(settings: Settings, *, creates: bool = False) -> Iterator[Engine]:
    """Yield an engine with the keys that sign access rows, and set the log level to warning.

    Unless `creates`, raise `SetupError` if the embedded database is missing: a misspelt folder must not create one.
    Raise `DatabaseUnreadable` if the database fails within the block.
    """
    set_up_logs("warning")
    if not creates and _is_missing(settings):
        raise SetupError(NO_DATABASE.format(folder=settings.data_dir))
    engine = open_database(settings.data_dir, settings.database_address)
    open_access_keys(settings, engine)
    try:
        yield engine
    except OperationalError:  # the connection was lost, or the file cannot be read
        raise DatabaseUnreadable from None
    finally:
        engine.dispose()


@contextmanager
def open_writer(settings: Settings, *, creates: bool = False) -> Iterator[tuple[Engine, Writer]]:
    """Create the schema in an empty database, but never change one. The writer is started.

    Raise the errors of `open_engine` and of `prepare_schema`.
    """
    with open_engine(settings, creates=creates) as engine:
        prepare_schema(engine, settings.data_dir, migrates=False)
        writer = Writer(
            engine,
            queue_size=settings.writer_queue,
            wait_seconds=settings.writer_wait_seconds,
            on_generation_raised=partial((settings.data_dir / config.HELD_FILE).unlink, missing_ok=True),
        )
        writer.start()
        try:
            yield engine, writer
        finally:
            writer.stop()


@contextmanager
def open_published(settings: Settings) -> Iterator[Session | None]:
    """Yield a session that reads published editions, or None if there is no database yet.

    Raise `DatabaseUnreadable`, and the errors of `is_behind`.
    """
    if _is_missing(settings):
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
