"""The options that commands share, the settings, and the database with its writer."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from app import config
from app.config import Settings, SettingsRefused
from app.errors import DatabaseUnreadable, SetupError
from app.logs import set_up_logs
from app.store.database import open_database
from app.store.schema import prepare_schema
from app.store.writer import Writer


def _folder(text: str) -> Path:
    """Return the folder. An empty text, such as that of a variable that is not set, is none."""
    if not text.strip():
        raise typer.BadParameter("it is empty: name a folder")
    return Path(text)


DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", help="Folder for the database and the keys [GUIDANCE_DATA_DIR].", parser=_folder, metavar="FOLDER"
    ),
]
EnvFile = Annotated[
    Path | None, typer.Option("--env-file", help="File with GUIDANCE_* settings.", exists=True, dir_okay=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

REMAINS = (
    "Former texts are still in the log of the database, because somebody reads it. A running service tries again "
    "until they are gone; without one, run this again."
)


def read_settings(data_dir: Path | None, env_file: Path | None) -> Settings:
    """Return the settings from the environment and the file, with the folder of the option. Raise `SetupError`."""
    try:
        return config.parse_settings(os.environ, file=env_file, data_dir=data_dir)
    except SettingsRefused as refusal:
        raise SetupError(str(refusal)) from None


@contextmanager
def open_engine(settings: Settings) -> Iterator[Engine]:
    """Yield the engine of the database, and dispose of it after the command. Raise `DatabaseUnreadable` if it fails."""
    set_up_logs("warning")
    engine = open_database(settings.data_dir, settings.database_address)
    try:
        yield engine
    except OperationalError:  # the connection was lost, or the file cannot be read
        raise DatabaseUnreadable from None
    finally:
        engine.dispose()


@contextmanager
def open_writer(settings: Settings) -> Iterator[tuple[Engine, Writer]]:
    """Yield the engine and a started writer, and stop the writer after the command."""
    with open_engine(settings) as engine:
        prepare_schema(engine, settings.data_dir)
        writer = Writer(engine, queue_size=settings.writer_queue, wait_seconds=settings.writer_wait_seconds)
        writer.start()
        try:
            yield engine, writer
        finally:
            writer.stop()
