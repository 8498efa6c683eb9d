"""Rounds: every candidate in turn, again and again, so that a slow moment of the machine falls on all of them."""

import math
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

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

    def run(self, tasks: dict[str, Task], rounds: int, say: Say) -> None:
        """Run every task once to warm up, and then in turn so many times."""
        for number in range(rounds + 1):
            for name, task in tasks.items():
                say(f"{name}: {'warming up' if number == 0 else f'round {number} of {rounds}'}")
                measured = task(number)
                if number:
                    self.rounds.setdefault(name, []).append(measured)

    def rate(self, name: str) -> float:
        """Return the median rate, in requests a second."""
        return statistics.median(each.rate for each in self.rounds[name])

    def ratios(self, name: str, to: str, *, by_cpu: bool = False) -> list[float]:
        """Return the ratio of each round, in order of size: how many times as fast, by rate or by processor time."""
        pairs = zip(self.rounds[name], self.rounds[to], strict=True)
        if by_cpu:
            return sorted(other.cpu / mine.cpu if mine.cpu else math.inf for mine, other in pairs)
        return sorted(mine.rate / other.rate if other.rate else math.inf for mine, other in pairs)

    def tails(self, name: str) -> list[float]:
        """How many times the median the 99th percentile is, of each round, in order of size."""
        return sorted(each.p99 / each.median for each in self.rounds[name])

    def as_json(self) -> dict[str, Any]:
        """Everything, to be written down."""
        return {
            "rounds": {name: [asdict(each) for each in measured] for name, measured in self.rounds.items()},
            "skipped": self.skipped,
            "figures": self.figures,
        }
