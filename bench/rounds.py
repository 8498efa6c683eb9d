"""Rounds: every candidate in turn, again and again, so that a slow moment of the machine falls on all of them."""

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
    """What was measured, by name, a list of rounds each."""

    rounds: dict[str, list[Measured]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    """What could not be measured, and why."""
    figures: dict[str, float] = field(default_factory=dict)
    """Figures of one measurement, such as seconds to start."""
    wanted: frozenset[str] | None = None
    """The only tasks to run, if not all."""

    def run(self, tasks: dict[str, Task], rounds: int, say: Say) -> None:
        """Run every task once to warm up, and then in turn so many times."""
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
        """Return the ratio of each round, in order of size: how many times as fast, by rate or by processor time.

        A round that was too short for its processor time to be counted has none.
        """
        pairs = zip(self.rounds[name], self.rounds[to], strict=True)
        if by_cpu:
            return sorted(other.cpu / mine.cpu for mine, other in pairs if mine.cpu and other.cpu)
        return sorted(mine.rate / other.rate if other.rate else math.inf for mine, other in pairs)

    def tails(self, name: str) -> list[float]:
        """How many times the median the 99th percentile is, of each round, in order of size."""
        return sorted(each.p99 / each.median for each in self.rounds[name])

    @classmethod
    def from_json(cls, run: dict[str, Any]) -> Self:
        """Return the results of a run that was written down."""
        rounds = {name: [Measured(**each) for each in measured] for name, measured in run["rounds"].items()}
        return cls(rounds, run["skipped"], run["figures"])

    def as_json(self) -> dict[str, Any]:
        """Everything, to be written down."""
        return {
            "rounds": {name: [asdict(each) for each in measured] for name, measured in self.rounds.items()},
            "skipped": self.skipped,
            "figures": self.figures,
        }
