"""The agreement on words before they are published by command: the digest that `approve` printed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from app.config import Settings
from app.errors import SeedError, SeedFileError

NOT_AGREED = (
    "nothing is published, since nobody has agreed on these words yet. `{command} FILE` prints their digest; "
    "publish them with `--digest` and that digest"
)
OTHER_WORDS = "nothing is published: the file has other words than those that were agreed on. Its digest is now {}"

AgreedDigests = Annotated[
    list[str] | None,
    typer.Option("--digest", help="What `approve` printed for the file. Repeat it for several files."),
]


def require_agreed(path: Path, digest: str, agreed: Sequence[str], *, command: str) -> None:
    """Raise `SeedFileError` unless the digest of the file is one that was agreed on. `command` prints a digest."""
    if digest not in agreed:
        reason = OTHER_WORDS.format(digest) if agreed else NOT_AGREED.format(command=command)
        raise SeedFileError(path, [SeedError(0, reason)])


def is_in_seed(settings: Settings, path: Path, folder: str) -> bool:
    """Return whether the file is in that folder of the seed, whose files the first start publishes without asking."""
    return path.resolve().is_relative_to((settings.seed_dir / folder).resolve())
