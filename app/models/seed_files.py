"""Strict reading of seed files: YAML 1.2, parsed into a model, every fault told at once with its line."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import DocumentStartEvent, Event
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from app.errors import Fault, GuidanceError, Location
from app.models.strict import SLUG_PATTERN

M = TypeVar("M", bound=BaseModel)

_TEXT = "tag:yaml.org,2002:str"
_DATE = "tag:yaml.org,2002:timestamp"  # YAML 1.2 knows no dates: they are text
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


@dataclass(frozen=True, order=True)
class SeedFault:
    """One thing wrong in a seed file: a line from 1 (0 where no line is to blame) and a sentence with the place."""

    line: int
    reason: str


class SeedFileError(GuidanceError):
    """A seed file cannot be used. Its text has one line for every fault; `line` and `reason` are the first one's."""

    def __init__(self, path: Path, faults: Sequence[SeedFault]) -> None:
        self.path = path
        self.faults = tuple(sorted(faults))
        self.line = self.faults[0].line or None
        self.reason = self.faults[0].reason
        super().__init__("\n".join(self._sentence(fault) for fault in self.faults))

    def _sentence(self, fault: SeedFault) -> str:
        return f"{self.path}{f', line {fault.line}' if fault.line else ''}: {fault.reason}"


def edition_place(path: Path) -> tuple[str, int]:
    """Read the guide's slug and the edition's number from a path that ends `<slug>/<number>.yaml`."""
    if not re.fullmatch(SLUG_PATTERN, path.parent.name):
        raise SeedFileError(path, [SeedFault(0, "the folder must be named after the guide, as in `self-harm`")])
    if not re.fullmatch(r"[1-9][0-9]{0,8}\.yaml", path.name):
        raise SeedFileError(path, [SeedFault(0, "the file must be named after the edition's number, as in `1.yaml`")])
    return path.parent.name, int(path.stem)


def read_seed_file(path: Path, model: type[M]) -> M:
    """Parse the file into the model; nothing is converted in silence. Raises SeedFileError with every fault."""
    text = _text_of(path)
    tree = _Tree()
    value = tree.plain(_root_of(path, text), ())
    told: Sequence[ErrorDetails] = ()
    try:
        parsed = model.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as refusal:
        told = refusal.errors(include_url=False, include_input=False)
    faults = [*tree.faults, *(tree.fault_of(error) for error in told if not _is_echo(error, told))]
    if faults:
        raise SeedFileError(path, faults)
    return parsed


def refused_file(path: Path, faults: Sequence[Fault]) -> SeedFileError:
    """Tell faults that were found in the parsed words with their lines in the file."""
    tree = _Tree()
    tree.plain(_root_of(path, _text_of(path)), ())
    return SeedFileError(
        path, [SeedFault(tree.line_of(fault.at), f"{_place(fault.at)}: {fault.detail}") for fault in faults]
    )


def _text_of(path: Path) -> str:
    try:
        data = path.read_bytes()
        return data.decode("utf-8")
    except FileNotFoundError:
        raise SeedFileError(path, [SeedFault(0, "there is no such file")]) from None
    except OSError:
        raise SeedFileError(path, [SeedFault(0, "the file cannot be read")]) from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SeedFileError(path, [SeedFault(line, "the file must be UTF-8, and this line is not")]) from None


def _root_of(path: Path, text: str) -> Node:
    try:
        faults = [fault for event in YAML(typ="safe", pure=True).parse(text) for fault in _beyond_plain(event)]
        root: Node | None = None if faults else YAML(typ="safe", pure=True).compose(text)
    except ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise SeedFileError(path, [SeedFault(line, "not YAML: a character that may not stand in it")]) from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        told = ", ".join(filter(None, (error.context, error.problem)))
        raise SeedFileError(path, [SeedFault(line, f"not YAML: {told}")]) from None
    if root is None:
        raise SeedFileError(path, faults or [SeedFault(0, "the file is empty")])
    return root


def _beyond_plain(event: Event) -> Iterator[SeedFault]:
    """Refuse what would make a reader look elsewhere for the meaning of a line."""
    line = event.start_mark.line + 1
    if getattr(event, "anchor", None):
        yield SeedFault(line, "anchors and aliases (`&`, `*`) are not used in seed files: write the words out")
    if getattr(event, "tag", None):
        yield SeedFault(line, "tags (`!`) are not used in seed files")
    if isinstance(event, DocumentStartEvent) and event.version not in (None, (1, 2)):
        yield SeedFault(line, "what begins here must be YAML 1.2: remove its `%YAML` line")


@dataclass
class _Tree:
    """Turns nodes into plain values, and remembers on which line each place stands and what was wrong."""

    lines: dict[Location, int] = field(default_factory=dict)
    faults: list[SeedFault] = field(default_factory=list)

    def plain(self, node: Node, at: Location) -> object:
        """Give the node's value; of a key that stands twice the first counts, and the second is a fault."""
        self.lines.setdefault(at, node.start_mark.line + 1)
        if isinstance(node, SequenceNode):
            return [self.plain(item, (*at, place)) for place, item in enumerate(node.value)]
        if isinstance(node, MappingNode):
            return {key: self.plain(value, (*at, key)) for key, value in self._entries(node, at)}
        return node.value if node.tag == _DATE else YAML(typ="safe", pure=True).constructor.construct_object(node)

    def _entries(self, node: MappingNode, at: Location) -> Iterator[tuple[str, Node]]:
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode) or key.tag not in (_TEXT, _DATE):
                self.faults.append(SeedFault(line, f"{_place(at)} has a key that is not plain text"))
            elif (*at, key.value) in self.lines:
                self.faults.append(SeedFault(line, f"{_place((*at, key.value))} stands here twice"))
            else:
                self.lines[(*at, key.value)] = line
                yield key.value, value

    def fault_of(self, error: ErrorDetails) -> SeedFault:
        """Tell a refusal of the model with the line of its place, or of the nearest place around it."""
        at = error["loc"]
        return SeedFault(self.line_of(at), f"{_place(at)} {_reason(error)}")

    def line_of(self, at: Location) -> int:
        """Give the line of the place, or of the nearest place around it."""
        around = next(at[:length] for length in range(len(at), -1, -1) if at[:length] in self.lines)
        return self.lines[around]


def _is_echo(error: ErrorDetails, told: Sequence[ErrorDetails]) -> bool:
    """Tell whether a list is called too short only because its items have faults of their own."""
    at = error["loc"]
    return error["type"] == "too_short" and any(other["loc"][:-1][: len(at)] == at for other in told)


def _place(at: Location) -> str:
    return f"`/{'/'.join(map(str, at))}`" if at else "the file"


def _reason(error: ErrorDetails) -> str:
    if error["type"] == "value_error":
        return f"is refused: {error['ctx']['error']}"
    return _REASONS.get(error["type"], f"is refused: {error['msg'][:1].lower()}{error['msg'][1:]}")
