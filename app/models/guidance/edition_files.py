"""The file of an edition, as an editor writes it: positions may be left out, and faults are in an editor's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import SeedError, SeedFileError
from app.faults import FieldError, Location
from app.models.guidance.editions import EditionContent
from app.models.guidance.editor_words import place_in_words
from app.models.guidance.seed_files import FileTree, read_tree
from app.models.guidance.written_editions import parse_written


@dataclass(frozen=True)
class EditionFile:
    """An edition that was read from a file, and the line of each place of it."""

    path: Path
    content: EditionContent
    tree: FileTree

    def seed_error(self, at: Location, reason: str) -> SeedError:
        """Return what is wrong at that place, with its line, in an editor's words."""
        return SeedError(self.tree.line_of(at), f"{place_in_words(at)}: {reason}")

    def refusal(self, faults: Sequence[FieldError]) -> SeedFileError:
        """Return the error for faults that were found in the content."""
        return SeedFileError(self.path, [self.seed_error(fault.at, fault.detail) for fault in faults])


def read_edition_file(path: Path) -> EditionFile:
    """Parse the file. Raise `SeedFileError` with every fault."""
    value, tree = read_tree(path)
    content, faults = parse_written(value)
    errors = [*tree.faults, *(SeedError(tree.line_of(at), reason) for at, reason in faults)]
    if errors or content is None:
        raise SeedFileError(path, errors)
    return EditionFile(path, content, tree)
