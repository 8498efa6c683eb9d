"""`guidance copy`: copies the database into another database, so that the service can move."""

from dataclasses import asdict
from typing import Annotated

import typer

from app.cli.open_database import open_engine
from app.cli.options import AsJson, SettingsOptions, echo_result, progress
from app.db.database import DATABASE_FILE
from app.db.file_copies import exclusive_lock
from app.extensions.operator_tools.services.copying import Copied, copy_database, open_target
from app.models.base import counted
from app.services.operations.backup import key_files
from app.services.operations.verification import find_all_faults

FAULTS = (
    "The copy equals its source, so `guidance verify` finds the same errors in the source. Find out who changed these "
    "rows before you serve the copy."
)
KEYS = "The copy contains no keys. The service needs these files wherever it runs next:"


def copy(
    settings: SettingsOptions,
    to: Annotated[
        str,
        typer.Option(
            metavar="URL|FOLDER",
            help="Empty database: postgresql+psycopg://USER@HOST/NAME (password in PGPASSWORD or ~/.pgpass), or a "
            "folder for SQLite.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Copy the database into an empty one, from SQLite to PostgreSQL or back. Stop the service first.

    Copies all tables in one transaction, compares every row, and verifies the copy by its hash chains. The source does
    not change. If the command is interrupted, the target stays empty: run it again. Exit status 1 if there is an error.
    """
    with open_engine(settings) as source, open_target(to, settings) as target:
        if settings.database_address is None:
            with exclusive_lock(settings.data_dir / DATABASE_FILE):  # concerns stored now would miss in the copy
                pass
        with progress("Copying") as show:
            copied = copy_database(source, target, show)
        with progress("Verifying") as show:
            faults = list(find_all_faults(target, show))
        name = target.url.render_as_string() if "://" in to else to  # without the password
    keys = key_files(settings)
    document = {
        "target": name,
        **asdict(copied.verified),
        "rows": copied.rows,
        "was_there": copied.was_there,
        "faults": [{"name": about, "fault": fault} for about, fault in faults],
        "keys_to_keep": [{"setting": setting, "path": str(path)} for setting, path in keys],
    }
    lines = [_line_of(name, copied), *(f"{about}: {fault}" for about, fault in faults)]
    echo_result(lines, document, as_json=as_json)
    if faults:
        typer.echo(FAULTS, err=True)
        raise typer.Exit(1)
    typer.echo("\n".join([KEYS, *(f"  {path} ({setting})" for setting, path in keys)]), err=True)


def _line_of(target: str, copied: Copied) -> str:
    found = f"{copied.verified}, {counted(copied.rows, 'row')} equal to the source"
    return f"{target}: {found}{', copied earlier' * copied.was_there}, verified"
