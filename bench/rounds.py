"""Rounds: every candidate in turn, repeatedly, so that a slow moment of the machine affects all of them."""

import math
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from bench.load import Measured

Task = Callable[[int], Measured]
Say = Callable[[str], None]


@dataclass
class Results:
    """The measurements: a list of rounds for each task, by name."""

    rounds: dict[str, list[Measured]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    """Tasks that could not be measured, with the reason."""
    figures: dict[str, float] = field(default_factory=dict)
    """Figures of a single measurement, such as seconds to start."""
    wanted: frozenset[str] | None = None
    """The only tasks to run; None for all."""

    def run(self, tasks: dict[str, Task], rounds: int, say: Say) -> None:
        """Run every task once to warm up, and then in turn `rounds` times."""
        for number in range(rounds + 1):
            for name, task in tasks.items():
                if self.wanted is not None and name not in self.wanted:
                    continue
                say(f"{name}: {'warming up' if number == 0 else f'round {number} of {rounds}'}")
                measured = task(number)
                if number:
                    self.rounds.setdefault(name, []).append(measured)

    def rate(self, name: str) -> float:
        """Return the median rate, in requests a second."""
        return statistics.median(each.rate for each in self.rounds[name])

    def ratios(self, name: str, to: str, *, by_cpu: bool = False) -> list[float]:
        """Return the ratio of each round, in ascending order: how many times as fast, by rate or by processor time.

        A round that is too short to measure its processor time is left out.
        """
        pairs = zip(self.rounds[name], self.rounds[to], strict=True)
        if by_cpu:
            return sorted(other.cpu / mine.cpu for mine, other in pairs if mine.cpu and other.cpu)
        return sorted(mine.rate / other.rate if other.rate else math.inf for mine, other in pairs)

    def tails(self, name: str) -> list[float]:
        """Return the 99th percentile as a multiple of the median, for each round, in ascending order."""
        return sorted(each.p99 / each.median for each in self.rounds[name])

    @classmethod
    def from_json(cls, run: dict[str, Any]) -> Self:
        """Return the results of a recorded run."""
        rounds = {name: [Measured(**each) for each in measured] for name, measured in run["rounds"].items()}
        return cls(rounds, run["skipped"], run["figures"])

    def as_json(self) -> dict[str, Any]:
        """Return all results as JSON values."""
        return {
            "rounds": {name: [asdict(each) for each in measured] for name, measured in self.rounds.items()},
            "skipped": self.skipped,
            "figures": self.figures,
        }
