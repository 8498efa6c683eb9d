"""A strict reader of seed files: YAML 1.2, parsed into a model. The reader reports every error with its line."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent, DocumentStartEvent, Event
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from app.errors import Location, SeedError, SeedFileError
from app.models.base import SLUG_PATTERN
from app.models.coded_values import drop_consequent_errors

_Model = TypeVar("_Model", bound=BaseModel)
_TEXT = "tag:yaml.org,2002:str"
_DATE = "tag:yaml.org,2002:timestamp"  # YAML 1.2 has no dates: they are text
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
MAX_FILE_BYTES = 4_000_000
MAX_NESTING = 32
"""Maximum depth of nesting in a file, the same as in a request body."""
MAX_DIGITS = 100
TOO_LARGE = f"it is too large: a file has at most {MAX_FILE_BYTES:,} bytes"
TOO_DEEP = f"it is nested deeper than {MAX_NESTING} levels"
_MAY_HAVE_UNUSED_FEATURES = re.compile(r"(?m)^\ufeff?%|(?:^|[\s\[{,:\ufeff])(?:[&*]\S|!)")
"""A pattern that matches every text with an anchor, alias, tag or directive, and also some texts without them.

A text that matches is parsed with the slower parser in Python, which knows the line of each error.
"""
_READ_OTHERWISE = re.compile("[\t\x85\u2028\u2029]")
"""Characters that libyaml reads differently: line breaks that YAML 1.2 does not have, and tabs within keys."""
_REASONS = MappingProxyType(
    {
        "missing": "is missing",
        "extra_forbidden": "is not a key that belongs here",
        "string_type": "must be text, in quotes where it looks like something else",
        "int_type": "must be a whole number, without quotes",
        "bool_type": "must be true or false, without quotes",
        "tuple_type": "must be a list",
        "model_type": "must be a group of keys",
    }
)


def edition_place(path: Path) -> tuple[str, int]:
    """Return the guide's slug and the edition's number from a path that ends in `<slug>/<number>.yaml`.

    Raise `SeedFileError` for any other path.
    """
    if not re.fullmatch(SLUG_PATTERN, path.parent.name):
        raise SeedFileError(path, [SeedError(0, "the folder must be named after the guide, as in `self-harm`")])
    if not re.fullmatch(r"[1-9][0-9]{0,8}\.yaml", path.name):
        raise SeedFileError(path, [SeedError(0, "the file must be named after the edition's number, as in `1.yaml`")])
    return path.parent.name, int(path.stem)


def read_seed_file(path: Path, model: type[_Model]) -> _Model:
    """Return the file at `path`, parsed into `model` without type conversion.

    Raise `SeedFileError` with every error if the file is invalid.
    """
    value, tree = read_tree(path)
    parsed, faults = tree.parse(value, model)
    if parsed is None or faults:
        raise SeedFileError(path, faults)
    return parsed


def read_tree(path: Path) -> tuple[object, "FileTree"]:
    """Return the value, and a tree with the line of each location and errors such as duplicate keys in `faults`.

    Raise `SeedFileError` if the file cannot be read, is not YAML, or uses features that seed files do not use.
    """
    tree = FileTree()
    return tree.plain(_root_of(path, _text_of(path)), ()), tree


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise SeedFileError(path, [SeedError(0, TOO_LARGE)])
        return data.decode("utf-8")
    except FileNotFoundError:
        raise SeedFileError(path, [SeedError(0, "there is no such file")]) from None
    except OSError:
        raise SeedFileError(path, [SeedError(0, "the file cannot be read")]) from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SeedFileError(path, [SeedError(line, "the file must be UTF-8, and this line is not")]) from None


def _root_of(path: Path, text: str) -> Node:
    try:
        faults = _faults_of_events(text)
        root = None if faults else _compose(text)
    except ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise SeedFileError(path, [SeedError(line, "not YAML: it has a character that YAML does not allow")]) from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        problem = ", ".join(filter(None, (error.context, error.problem)))
        raise SeedFileError(path, [SeedError(line, f"not YAML: {problem}")]) from None
    if root is None:
        raise SeedFileError(path, faults or [SeedError(0, "the file is empty")])
    return root


def _faults_of_events(text: str) -> list[SeedError]:
    """Find features that seed files do not use, and too deep nesting.

    The depth is checked before composing: libyaml's composer recurses, and a stack overflow would end the process.
    """
    if not _MAY_HAVE_UNUSED_FEATURES.search(text) and not _READ_OTHERWISE.search(text):
        with suppress(YAMLError):
            return _faults_in(YAML(typ="safe").parse(text))
    return _faults_in(YAML(typ="safe", pure=True).parse(text))


def _faults_in(events: Iterable[Event]) -> list[SeedError]:
    faults: list[SeedError] = []
    depth = 0
    for event in events:
        faults += _unused_features(event)
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_NESTING:
            return [*faults, SeedError(event.start_mark.line + 1, TOO_DEEP)]
    return faults


def _compose(text: str) -> Node | None:
    """Return the root node, or None if `text` is empty. Raise the errors of ruamel.yaml.

    libyaml parses first, seven times as fast. It reads valid files alike, except for the characters in
    `_READ_OTHERWISE`. The parser in Python reads a text with those or an error, so that all error messages come from
    it.
    """
    if not _READ_OTHERWISE.search(text):
        with suppress(YAMLError):
            return cast("Node | None", YAML(typ="safe").compose(text))
    return cast("Node | None", YAML(typ="safe", pure=True).compose(text))


def _unused_features(event: Event) -> Iterator[SeedError]:
    """Yield an error for each YAML feature in `event` that seed files do not use.

    Seed files do without these features, so that each line can be understood without other lines.
    """
    line = event.start_mark.line + 1
    if getattr(event, "anchor", None):
        yield SeedError(line, "anchors and aliases (`&`, `*`) are not used in seed files: write the words out")
    if getattr(event, "tag", None):
        yield SeedError(line, "tags (`!`) are not used in seed files")
    if isinstance(event, DocumentStartEvent) and event.version not in (None, (1, 2)):
        yield SeedError(line, "this document must be YAML 1.2: remove its `%YAML` line")


@dataclass
class FileTree:
    """A converter from YAML nodes to plain values, which collects the line of each location and the errors."""

    lines: dict[Location, int] = field(default_factory=dict)
    faults: list[SeedError] = field(default_factory=list)
    _constructor: SafeConstructor = field(
        default_factory=lambda: YAML(typ="safe", pure=True).constructor, init=False, repr=False
    )
    """The constructor of this tree only: a shared constructor would keep every file in memory."""

    def plain(self, node: Node, at: Location) -> object:
        """Return the value of `node`, which is at the location `at`.

        Store the line of each location inside the node in `lines`, and each error in `faults`. For a duplicate key, use
        the first value, and report the second as an error.
        """
        self.lines.setdefault(at, node.start_mark.line + 1)
        if isinstance(node, SequenceNode):
            return [self.plain(item, (*at, place)) for place, item in enumerate(node.value)]
        if isinstance(node, MappingNode):
            return {key: self.plain(value, (*at, key)) for key, value in self._entries(node, at)}
        if node.tag in _NUMBERS and len(node.value) > MAX_DIGITS:
            self.faults.append(self.fault_at(at, f"{_place(at)} is a number of more than {MAX_DIGITS} digits"))
            return node.value
        return node.value if node.tag == _DATE else self._constructor.construct_object(node)

    def _entries(self, node: MappingNode, at: Location) -> Iterator[tuple[str, Node]]:
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode) or key.tag not in (_TEXT, _DATE):
                self.faults.append(SeedError(line, f"{_place(at)} has a key that is not plain text"))
            elif (*at, key.value) in self.lines:
                self.faults.append(SeedError(line, f"{_place((*at, key.value))} is a duplicate key"))
            else:
                self.lines[(*at, key.value)] = line
                yield key.value, value

    def parse(self, value: object, model: type[_Model]) -> tuple[_Model | None, list[SeedError]]:
        """Return `value` parsed into `model` without type conversion, and every error of the file.

        Return None instead of the parsed value if `value` does not fit the model.
        """
        errors: Sequence[ErrorDetails] = ()
        parsed = None
        try:
            parsed = model.model_validate_json(json.dumps(value), strict=True)
        except ValidationError as refusal:
            errors = refusal.errors(include_url=False, include_input=False)
        return parsed, [*self.faults, *map(self.fault_of, drop_consequent_errors(errors))]

    def fault_of(self, error: ErrorDetails) -> SeedError:
        """Return `error` with its line in the file, or with that of the nearest parent that has one."""
        return self.fault_at(error["loc"], f"{_place(error['loc'])} {reason_of(error)}")

    def fault_at(self, at: Location, reason: str) -> SeedError:
        """Return an error with the sentence `reason` and the line of the location `at`, or of its nearest parent."""
        return SeedError(self.line_of(at), reason)

    def line_of(self, at: Location) -> int:
        """Return the line of the location `at`, or of its nearest parent that has a line."""
        nearest = next(at[:length] for length in range(len(at), -1, -1) if at[:length] in self.lines)
        return self.lines[nearest]


def _place(at: Location) -> str:
    return f"`/{'/'.join(map(str, at))}`" if at else "the file"


def reason_of(error: ErrorDetails) -> str:
    """Return the reason for the validation error `error`, as the end of a sentence that begins with the location."""
    if error["type"] == "value_error":
        return f"is refused: {error['ctx']['error']}"
    return _REASONS.get(error["type"], f"is refused: {error['msg'][:1].lower()}{error['msg'][1:]}")
