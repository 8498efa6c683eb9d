"""Drafts between a file, the service and a terminal."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from app.cli.terminal import echo_json
from app.errors import SeedError, SeedFileError
from app.models.guidance.changes import WordChange, WordRun
from app.models.guidance.edition_yaml import file_text
from app.models.guidance.guide_drafts import DraftChangesResponse
from app.models.guidance.seed_files import edition_place, read_tree
from app.pages.guide.changed_words import describe_field_changes, describe_section_changes

VERSION_REMARK = "The draft of {guide}, version {version}, written by {written_by}."
MARKS = {WordChange.ADDED: "{{+{}+}}", WordChange.REMOVED: "[-{}-]", WordChange.KEPT: "{}"}


def read_draft_file(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the guide and the words of the file, which may be incomplete. Raises `SeedFileError`.

    What would be lost on the way, such as a key that is there twice, is refused.
    """
    guide, _ = edition_place(path)
    value, tree = read_tree(path)
    if tree.faults:
        raise SeedFileError(path, tree.faults)
    if not isinstance(value, dict):
        raise SeedFileError(path, [SeedError(0, "the file must have the keys of an edition, such as `title`")])
    return guide, value


def draft_as_file(draft: dict[str, Any]) -> str:
    """Return the draft as the file of an edition, with a remark that names its version."""
    return file_text(draft["content"], VERSION_REMARK.format(**draft))


def lines_of_changes(changes: DraftChangesResponse) -> Iterator[str]:
    """Yield a line for each change, below the heading of its section."""
    for change in describe_field_changes(changes.fields):
        yield f"{change.heading}: {_marked(change.runs)}"
    for heading, found in describe_section_changes(changes.sections).items():
        yield heading
        yield from (f"  {each.heading}: {_marked(each.runs)}" for each in found)
    if changes.not_compared:
        yield f"Not compared, since it has faults: {', '.join(changes.not_compared)}"


def echo_state(answer: dict[str, Any], state: str, *, as_json: bool = False, to_standard_error: bool = False) -> None:
    """Print which version it is, and what was done with it; or the answer as JSON."""
    if as_json:
        echo_json(answer)
    else:
        echo_printable([f"{answer['guide']}, draft version {answer['version']}: {state}"], err=to_standard_error)


def echo_printable(lines: Sequence[str] | Iterator[str], *, err: bool = False) -> None:
    """Print the lines, with a mark for each character that could steer a terminal."""
    for line in lines:
        typer.echo("".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line), err=err)


def _marked(runs: Sequence[WordRun]) -> str:
    return "".join(MARKS[run.change].format(run.text) for run in runs)
