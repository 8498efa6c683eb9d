"""Rounds of measurements: each round runs every task in turn, so a slow moment of the machine affects all tasks."""

import math
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from bench.load import Measured

Task = Callable[[int], Measured]
"""A measurement. It gets the number of the round, which is 0 to warm up."""
Say = Callable[[str], None]
"""A function that shows a line of progress."""


@dataclass
class Results:
    """The measurements of a run: for each task, one measurement a round, by the task's name."""

    rounds: dict[str, list[Measured]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    """Tasks that could not be measured, with the reason."""
    figures: dict[str, float] = field(default_factory=dict)
    """Figures that are measured only once, such as seconds to start."""
    wanted: frozenset[str] | None = None
    """Names of the only tasks to run and figures to measure, or None for all."""

    def wants(self, name: str) -> bool:
        """Return True if the task or figure `name` is to be measured."""
        return self.wanted is None or name in self.wanted

    def run(self, tasks: dict[str, Task], rounds: int, say: Say) -> None:
        """Run every task once to warm up, and then run all tasks in turn `rounds` times. Add the measurements."""
        for number in range(rounds + 1):
            for name, task in tasks.items():
                if not self.wants(name):
                    continue
                say(f"{name}: {'warming up' if number == 0 else f'round {number} of {rounds}'}")
                measured = task(number)
                if number:
                    self.rounds.setdefault(name, []).append(measured)

    def rate(self, name: str) -> float:
        """Return the median rate of the task `name`, in requests a second."""
        return statistics.median(each.rate for each in self.rounds[name])

    def ratios(self, name: str, to: str, *, by_cpu: bool = False) -> list[float]:
        """Return how many times as fast as the task `to` the task `name` was in each round, in ascending order.

        Speed is the rate or, with `by_cpu`, the processor time for a request. With `by_cpu`, rounds that were too short
        to measure the processor time are left out.
        """
        pairs = zip(self.rounds[name], self.rounds[to], strict=True)
        if by_cpu:
            return sorted(other.cpu / mine.cpu for mine, other in pairs if mine.cpu and other.cpu)
        return sorted(mine.rate / other.rate if other.rate else math.inf for mine, other in pairs)

    def tails(self, name: str) -> list[float]:
        """Return the 99th percentile as a multiple of the median in each round of the task, in ascending order."""
        return sorted(each.p99 / each.median for each in self.rounds[name])

    @classmethod
    def from_json(cls, run: dict[str, Any]) -> Self:
        """Return the results of a recorded run, given as parsed JSON."""
        rounds = {name: [Measured(**each) for each in measured] for name, measured in run["rounds"].items()}
        return cls(rounds, run["skipped"], run["figures"])

    def as_json(self) -> dict[str, Any]:
        """Return all results as JSON values."""
        return {
            "rounds": {name: [asdict(each) for each in measured] for name, measured in self.rounds.items()},
            "skipped": self.skipped,
            "figures": self.figures,
        }
