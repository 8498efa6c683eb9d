"""Options and helpers that commands share: settings, expiry times, and output."""

import datetime as dt
import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from app import config
from app.cli.option_groups import OptionGroup
from app.config import Settings, SettingsRefused
from app.errors import SetupError
from app.models.base import OnStep, format_utc, show_no_progress
from app.services.clock.working_days import LONDON

EnvFile = Annotated[
    Path | None, typer.Option("--env-file", help="File with GUIDANCE_* settings.", exists=True, dir_okay=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
REMAINS = (
    "The database log still contains old text, because a reader is using it. A running service retries until it is "
    "purged; otherwise run this again."
)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FURTHEST = dt.timedelta(days=3653)
DURATION = re.compile(r"([0-9]{1,4})([dh])")
PER_MILLE = 1000
NOT_PLAIN = re.compile(r"[^\t\n -~]")
JOINERS = "\u200c\u200d"
"""Invisible characters that some languages need for their spelling: printed unchanged."""


def _folder(text: str) -> Path:
    """An empty text, for example of an unset variable, is refused."""
    if not text.strip():
        raise typer.BadParameter("must not be empty: name a folder")
    return Path(text)


DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", help="Folder for the database and keys [GUIDANCE_DATA_DIR].", parser=_folder, metavar="FOLDER"
    ),
]


def read_settings(data_dir: DataDir = None, env_file: EnvFile = None) -> Settings:
    """Read the environment, then `env_file`. `data_dir` overrides both. Raise `SetupError` with every error.

    Without a public address, take that at which the service of this data folder last listened.
    """
    try:
        settings = config.parse_settings(os.environ, file=env_file, data_dir=data_dir)
    except SettingsRefused as refusal:
        raise SetupError(str(refusal)) from None
    return config.settings_as_served(settings)


SettingsOptions = Annotated[Settings, OptionGroup(read_settings)]


def parse_duration(text: str) -> dt.timedelta:
    """Parse days (`7d`) or hours (`12h`). Raise `typer.BadParameter`."""
    found = DURATION.fullmatch(text)
    if found is None:
        raise typer.BadParameter("a period is a number of days or hours, such as 7d or 12h")
    number = int(found[1])
    return dt.timedelta(days=number) if found[2] == "d" else dt.timedelta(hours=number)


def parse_end(text: str, now: dt.datetime) -> dt.datetime:
    """Return the end of a day in London (`2027-03-31`) or a duration from `now`, in UTC.

    Raise `typer.BadParameter` if neither, past, or more than ten years away.
    """
    end = _end_of_day(text) if DATE.fullmatch(text) else now + parse_duration(text)
    if not now < end <= now + FURTHEST:
        raise typer.BadParameter("the expiry is in the past, or more than ten years away")
    return end


def _end_of_day(text: str) -> dt.datetime:
    try:
        following = dt.date.fromisoformat(text) + dt.timedelta(days=1)
    except (ValueError, OverflowError):
        raise typer.BadParameter("there is no such date") from None
    return dt.datetime.combine(following, dt.time(), LONDON).astimezone(dt.UTC)


def format_moment(moment: dt.datetime) -> str:
    """Return text for people: `2026-11-24 08:05 UTC`."""
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def format_optional(moment: dt.datetime | None) -> str | None:
    """Return text for programs (RFC 3339)."""
    return None if moment is None else format_utc(moment)


def paint(text: str, colour: str) -> str:
    """Return coloured text on a terminal, and plain text elsewhere and with NO_COLOR (no-color.org)."""
    return typer.style(text, fg=colour) if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def visible(text: str) -> str:
    """Escape characters which a terminal obeys or which hide text, but not `JOINERS`."""
    return NOT_PLAIN.sub(lambda found: _visible(found[0]), text)


def _visible(char: str) -> str:
    is_obeyed = unicodedata.category(char) in ("Cc", "Cf") and char not in JOINERS
    return json.dumps(char)[1:-1] if is_obeyed else char


def echo_json(document: Any) -> None:
    """Print JSON with control characters escaped."""
    typer.echo(visible(json.dumps(document, ensure_ascii=False, indent=2)))


def echo_result(lines: Sequence[str], document: Any, *, as_json: bool) -> None:
    """Print `lines` for people, or `document` for programs."""
    if as_json:
        echo_json(document)
        return
    for line in lines:
        typer.echo(visible(line))


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return aligned rows. Every row must have as many cells."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


@contextmanager
def progress(words: str) -> Iterator[OnStep]:
    """Show progress on standard error, if that is a terminal. The function takes the steps done and their total.

    What cannot count its steps shows `words`, and in the end 100 %.
    """
    if not sys.stderr.isatty():
        yield show_no_progress
        return
    with typer.progressbar(length=PER_MILLE, label=words, file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.update(PER_MILLE * done // max(total, 1) - bar.pos)

        yield show
        show(1, 1)
