"""The files of editions and renditions, as editors write them: positions may be left out."""

import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML

from app.errors import SeedError, SeedFileError
from app.faults import FieldError, Location
from app.models.base import SLUG_PATTERN
from app.models.digest import digest_of
from app.models.guidance.edition_schema import LEFT_OUT, SCHEMA_LINE
from app.models.guidance.editions import EditionContent
from app.models.guidance.editor_words import sentence_at
from app.models.guidance.renditions import RenditionContent
from app.models.guidance.seed_files import FileTree, is_echo, read_tree
from app.models.guidance.written_editions import Fault, parse_written


@dataclass(frozen=True)
class WrittenFile:
    """The file of an edition as it is written, with its faults. The content is None if it has any."""

    path: Path
    value: object
    content: EditionContent | None
    tree: FileTree
    faults: tuple[Fault, ...]
    """Those of the content; `tree` has those of YAML."""

    def seed_error(self, at: Location, reason: str) -> SeedError:
        """Return what is wrong at that place, with its line. The reason is a sentence in an editor's words."""
        return SeedError(self.tree.line_of(at), reason)

    def seed_errors(self) -> list[SeedError]:
        """Return every fault with its line."""
        return [*self.tree.faults, *(self.seed_error(at, reason) for at, reason in self.faults)]


@dataclass(frozen=True)
class EditionFile:
    """An edition that was read from a file, and the line of each place of it."""

    path: Path
    content: EditionContent
    tree: FileTree

    def refusal(self, faults: Sequence[FieldError]) -> SeedFileError:
        """Return the error for faults that were found in the content."""
        return SeedFileError(
            self.path, [SeedError(self.tree.line_of(each.at), sentence_at(each.at, each.detail)) for each in faults]
        )


def read_written_file(path: Path) -> WrittenFile:
    """Read the file, also with faults. Raise `SeedFileError` if it is not YAML."""
    value, tree = read_tree(path)
    content, faults = parse_written(value)
    return WrittenFile(path, value, None if faults or tree.faults else content, tree, tuple(faults))


def read_edition_file(path: Path) -> EditionFile:
    """Parse the file. Raise `SeedFileError` with every fault."""
    written = read_written_file(path)
    if written.content is None:
        raise SeedFileError(path, written.seed_errors())
    return EditionFile(path, written.content, written.tree)


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


_WIDTH = 110
NEVER_WRAPPED = 1_000_000
"""Control characters, and separators of lines that few know, would not survive a wrapped line, or without escapes."""


def edition_yaml(content: EditionContent, remarks: str = "") -> str:
    """Return the file. It reads back to the same words. `remarks` are lines of comment after the first line."""
    return file_text(content.model_dump(mode="json"), remarks)


def file_text(content: dict[str, Any], remarks: str = "") -> str:
    """Return the file of a content that may still have faults."""
    yaml = YAML(typ="rt", pure=True)
    yaml.width = _WIDTH if _is_plain(content) else NEVER_WRAPPED
    yaml.allow_unicode = _is_plain(content)
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = io.StringIO()
    yaml.dump(_written(content), text)
    comment = "".join(f"# {line}".rstrip() + "\n" for line in remarks.splitlines())
    return f"{SCHEMA_LINE}\n{comment}\n{text.getvalue()}"


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, str) or value.isprintable()


def _written(value: Any) -> Any:
    if isinstance(value, dict):
        members = {name: _written(member) for name, member in value.items() if name != LEFT_OUT}
        return {name: member for name, member in members.items() if member not in (None, [], {})}
    return [_written(member) for member in value] if isinstance(value, list | tuple) else value
