"""Files of editions and renditions, as editors write them."""

import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from ruamel.yaml import YAML

from app.errors import FieldError, Location, SeedError, SeedFileError
from app.models.base import SLUG_PATTERN, digest_of, without_empty_members
from app.models.coded_values import member_reader
from app.models.guides.editions import LEFT_OUT, SCHEMA_LINE, EditionContent
from app.models.guides.fault_words import sentence_at
from app.models.guides.renditions import RenditionContent
from app.models.guides.sections import ITEM_LISTS
from app.models.guides.seed_files import FileTree, read_tree
from app.models.guides.written_checks import parse_written, place_items

NOTHING: dict[str, Any] = {"id": "", "name": ""}
"""Fields of the empty entry that replaces an unreadable entry. The other fields have their defaults."""
Content = TypeVar("Content", EditionContent, RenditionContent)
_WIDTH = 110
NEVER_WRAPPED = 1_000_000
"""Line width for text with control characters or unusual line separators. Wrapping would lose such characters."""


def read_sound_entries(value: dict[str, Any]) -> tuple[EditionContent, frozenset[Location]]:
    """Return the draft `value` as an edition, and the locations of its invalid entries and fields.

    In the edition, invalid entries and fields are empty. Missing fields are empty too, but are not among the locations.

    Also change `value` in place: give each item without a position its place in the list.
    """
    place_items(value)
    members: dict[str, Any] = {}
    unread: set[Location] = set()

    def read(at: Location, validate: Callable[..., Any], written: object, otherwise: Any) -> Any:
        try:
            return validate(json.dumps(written), strict=True)
        except ValidationError:
            unread.add(at)
            return otherwise

    for name, field in EditionContent.model_fields.items():
        default = "" if field.is_required() else field.get_default(call_default_factory=True)
        written = value.get(name)
        if name not in value:
            members[name] = default
        elif name in ITEM_LISTS and isinstance(written, list):
            item = ITEM_LISTS[name].item
            nothing = item.model_construct(**NOTHING)
            entries = enumerate(written)
            members[name] = tuple(read((name, at), item.model_validate_json, each, nothing) for at, each in entries)
        else:
            reader = member_reader(EditionContent, name)
            members[name] = read((name,), reader.validate_json, written, () if name in ITEM_LISTS else default)
    return EditionContent.model_construct(**members), frozenset(unread)


@dataclass(frozen=True)
class GuideFile(Generic[Content]):
    """An edition or rendition as read from a file in the guide's folder. `tree` has the line of each location."""

    path: Path
    content: Content
    tree: FileTree

    @property
    def guide(self) -> str:
        """Name of the guide, which is the name of the file's folder."""
        return self.path.absolute().parent.name

    @property
    def digest(self) -> str:
        """Digest of the content. A person who approves the content approves this digest."""
        return digest_of(self.content)

    def refusal(self, faults: Sequence[FieldError]) -> SeedFileError:
        """Return an exception that reports `faults` (errors in the content), each with its line in the file."""
        name = sentence_at if isinstance(self.content, EditionContent) else _pointed
        return SeedFileError(self.path, [self.tree.fault_at(each.at, name(each.at, each.detail)) for each in faults])


EditionFile = GuideFile[EditionContent]

RenditionFile = GuideFile[RenditionContent]


def _pointed(at: Location, reason: str) -> str:
    return f"`/{'/'.join(map(str, at))}`: {reason}"


def read_edition_file(path: Path) -> EditionFile:
    """Return the edition in the file at `path`. Raise `SeedFileError` with every error if the file is invalid."""
    value, tree = read_tree(path)
    content, faults = parse_written(value)
    if content is None or faults or tree.faults:
        raise SeedFileError(path, [*tree.faults, *(tree.fault_at(*each) for each in faults)])
    return EditionFile(path, content, tree)


def read_rendition_file(path: Path) -> RenditionFile:
    """Return the rendition in the file at `path`. Raise `SeedFileError` with every error if the file is invalid.

    The folder must be named after the guide, and the file after the rendition's language.
    """
    value, tree = read_tree(path)
    content, faults = tree.parse(value, RenditionContent)
    faults = [*_faults_of_place(path, value), *faults]
    if content is None or faults:
        raise SeedFileError(path, faults)
    return RenditionFile(path, content, tree)


def _faults_of_place(path: Path, value: object) -> list[SeedError]:
    faults = []
    if not re.fullmatch(SLUG_PATTERN, path.absolute().parent.name):
        faults.append(SeedError(0, "the folder must be named after the guide, as in `self-harm`"))
    language = value.get("language") if isinstance(value, dict) else None
    if isinstance(language, str) and path.name != f"{language}.yaml":
        faults.append(SeedError(0, "the file must be named after its language, as in `cy.yaml` for Welsh"))
    return faults


def edition_yaml(content: EditionContent, remarks: str = "") -> str:
    """Return the YAML text of a file with the edition `content`. `remarks` become comments below the first line."""
    return file_text(content.model_dump(mode="json"), remarks)


def file_text(content: dict[str, Any], remarks: str = "") -> str:
    """Return YAML text. `content` may have errors, and `remarks` become comments below the first line."""
    comment = "".join(f"# {line}".rstrip() + "\n" for line in remarks.splitlines())
    return f"{SCHEMA_LINE}\n{comment}\n{as_yaml(without_empty_members(content, LEFT_OUT))}"


def as_yaml(content: dict[str, Any]) -> str:
    """Return `content` as YAML text, as editors write it.

    If a text has characters that cannot be printed, escape all characters outside ASCII, and wrap no lines.
    """
    yaml = YAML(typ="rt", pure=True)
    yaml.width = _WIDTH if _is_plain(content) else NEVER_WRAPPED
    yaml.allow_unicode = _is_plain(content)
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = io.StringIO()
    yaml.dump(content, text)
    return text.getvalue()


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, str) or value.isprintable()
