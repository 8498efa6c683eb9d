"""Errors in seed files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import GuidanceError


@dataclass(frozen=True, order=True)
class SeedError:
    """One fault in a seed file: its line from 1 (0 where it has none) and a sentence with the location."""

    line: int
    reason: str


class SeedFileError(GuidanceError):
    """A seed file cannot be used. Its message has a line for each fault; `line` and `reason` are those of the first."""

    def __init__(self, path: Path, faults: Sequence[SeedError]) -> None:
        self.path = path
        self.faults = tuple(sorted(faults))
        self.line = self.faults[0].line or None
        self.reason = self.faults[0].reason
        super().__init__("\n".join(self._format(fault) for fault in self.faults))

    def _format(self, fault: SeedError) -> str:
        return f"{self.path}{f', line {fault.line}' if fault.line else ''}: {fault.reason}"
