"""The file of a rendition: `.../<guide>/<language>.yaml`."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from app.errors import SeedError, SeedFileError
from app.faults import FieldError
from app.models.base import SLUG_PATTERN
from app.models.digest import digest_of
from app.models.guidance.rendition_content import RenditionContent
from app.models.guidance.seed_files import FileTree, is_echo, read_tree


@dataclass(frozen=True)
class RenditionFile:
    """A rendition that was read from a file, its guide, and the line of each place of it."""

    path: Path
    guide: str
    content: RenditionContent
    tree: FileTree

    @property
    def digest(self) -> str:
        """The digest of the words: what those who answer for them agree on."""
        return digest_of(self.content)

    def refusal(self, faults: Sequence[FieldError]) -> SeedFileError:
        """Return the error for faults that were found in the content, each with its line."""
        return SeedFileError(
            self.path,
            [
                SeedError(self.tree.line_of(fault.at), f"`/{'/'.join(map(str, fault.at))}`: {fault.detail}")
                for fault in faults
            ],
        )


def read_rendition_file(path: Path) -> RenditionFile:
    """Parse the file. Raise `SeedFileError` with every fault."""
    value, tree = read_tree(path)
    faults, content = [*_faults_of_place(path, value), *tree.faults], None
    try:
        content = RenditionContent.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as refusal:
        errors = refusal.errors(include_url=False, include_input=False)
        faults += [tree.fault_of(error) for error in errors if not is_echo(error, errors)]
    if faults or content is None:
        raise SeedFileError(path, faults)
    return RenditionFile(path, path.absolute().parent.name, content, tree)


def _faults_of_place(path: Path, value: object) -> list[SeedError]:
    faults = []
    if not re.fullmatch(SLUG_PATTERN, path.absolute().parent.name):
        faults.append(SeedError(0, "the folder must be named after the guide, as in `self-harm`"))
    language = value.get("language") if isinstance(value, dict) else None
    if isinstance(language, str) and path.name != f"{language}.yaml":
        faults.append(SeedError(0, "the file must be named after its language, as in `cy.yaml` for Welsh"))
    return faults
