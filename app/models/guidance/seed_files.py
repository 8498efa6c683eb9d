"""Strict reading of seed files: YAML 1.2, parsed into a model, with every fault and its line in one error."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from app.errors import FieldError
from app.models.base import SLUG_PATTERN
from app.models.guidance.seed_errors import SeedError, SeedFileError
from app.models.guidance.seed_lines import read_with_lines, with_lines

_Model = TypeVar("_Model", bound=BaseModel)


def edition_place(path: Path) -> tuple[str, int]:
    """Return the guide's slug and the edition's number from a path that ends `<slug>/<number>.yaml`."""
    if not re.fullmatch(SLUG_PATTERN, path.parent.name):
        raise SeedFileError(path, [SeedError(0, "the folder must be named after the guide, as in `self-harm`")])
    if not re.fullmatch(r"[1-9][0-9]{0,8}\.yaml", path.name):
        raise SeedFileError(path, [SeedError(0, "the file must be named after the edition's number, as in `1.yaml`")])
    return path.parent.name, int(path.stem)


def read_seed_file(path: Path, model: type[_Model]) -> _Model:
    """Parse the file into the model, without conversion of types. Raise `SeedFileError` with every fault."""
    return read_with_lines(path, _text_of(path), model)


def seed_file_error(path: Path, faults: Sequence[FieldError]) -> SeedFileError:
    """Return the error for faults that were found in the parsed content, each with its line in the file."""
    return SeedFileError(path, with_lines(path, _text_of(path), faults))


def _text_of(path: Path) -> str:
    try:
        data = path.read_bytes()
        return data.decode("utf-8")
    except FileNotFoundError:
        raise SeedFileError(path, [SeedError(0, "there is no such file")]) from None
    except OSError:
        raise SeedFileError(path, [SeedError(0, "the file cannot be read")]) from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SeedFileError(path, [SeedError(line, "the file must be UTF-8, and this line is not")]) from None
