"""`guidance desk statistics`: what is in clear, counted."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.desk_client import KeyFileOption, KeyOption, Url, connect
from app.models.links import STATISTICS


def desk_statistics(
    *,
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    out: Annotated[Path | None, typer.Option(help="Write the CSV to this file.")] = None,
) -> None:
    """Print the statistics as CSV. Counts under five are hidden. The key needs the scope `audit:read`."""
    with connect(url, key, key_file) as service:
        sheet = service.fetch(STATISTICS, "text/csv").content
    if out is None:
        typer.echo(sheet.decode(), nl=False)
    else:
        out.write_bytes(sheet)
