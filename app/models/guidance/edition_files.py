"""The file of an edition, as an editor writes it: positions may be left out, and faults are in an editor's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import SeedError, SeedFileError
from app.faults import FieldError, Location
from app.models.guidance.editions import EditionContent
from app.models.guidance.editor_words import sentence_at
from app.models.guidance.seed_files import FileTree, read_tree
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
