"""`python -m bench.matching`: how many concerns about a child told of before are recognised, and how many wrongly.

A thousand invented concerns, in the order in which they came. Each is compared with all that came before.
"""

import argparse
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass

from app.cli.desk.card_facts import CardFacts, facts_of
from app.cli.desk.matching import reasons_of
from tests.support.invented_concerns import InventedConcern, invent_concerns

LEAST_RECOGNISED = 55
"""Per cent of the concerns about a child told of before."""
MOST_FALSE = 40
SEED = 39


@dataclass(frozen=True)
class Recognition:
    """The number of concerns about a child told of before, how many had a true candidate, and all false candidates."""

    told_before: int
    recognised: int
    false: int

    @property
    def per_cent(self) -> float:
        """The share of the concerns about a child told of before that have a true candidate."""
        return 100 * self.recognised / self.told_before


def recognise(concerns: Iterable[InventedConcern]) -> Recognition:
    """Compare each concern with all before it, and return the figures."""
    before: list[tuple[int, CardFacts]] = []
    told_before = recognised = false = 0
    for concern in concerns:
        facts = facts_of([(concern.card, concern.received_on)])
        found = [household for household, other in before if reasons_of(facts, other)]
        told_before += any(household == concern.household for household, _ in before)
        recognised += concern.household in found
        false += sum(household != concern.household for household in found)
        before.append((concern.household, facts))
    return Recognition(told_before, recognised, false)


def main() -> int:
    """Print the two figures of a seed, or of several. Return 1 if a figure misses its bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, nargs="+", default=[SEED], help="seeds of the invented concerns")
    is_reached = True
    for seed in parser.parse_args().seed:
        start = time.perf_counter()
        found = recognise(invent_concerns(seed))
        seconds = time.perf_counter() - start
        is_reached &= found.per_cent >= LEAST_RECOGNISED and found.false <= MOST_FALSE
        sys.stdout.write(
            f"seed {seed}: a true candidate for {found.recognised} of {found.told_before} concerns about a child told "
            f"of before ({found.per_cent:.0f} %, at least {LEAST_RECOGNISED}); {found.false} false candidates (at most "
            f"{MOST_FALSE}); {seconds:.1f} s\n"
        )
    return 0 if is_reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
