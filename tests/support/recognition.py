"""How many concerns about a child told of before are recognised, and how many wrongly.

`python -m tests.support.recognition` prints it.

A thousand invented concerns, in the order in which they came. Each is compared with all that came before, by the
modules of the desk's script.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.desk_modules import run_modules
from tests.support.invented_concerns import InventedConcern, in_other_scripts, invent_concerns

LEAST_RECOGNISED = 55
"""Per cent of the concerns about a child told of before."""
MOST_FALSE = 40
SEED = 39
PROGRAM = """
const { factsOf } = await load("card_facts");
const facts = given.concerns.map(({ card, receivedOn }) => factsOf([{ card, receivedOn }]));
const found = facts.map((own, place) =>
  facts.slice(0, place).flatMap((other, number) => (matching.reasonsOf(own, other).length > 0 ? [number] : [])));
console.log(JSON.stringify(found));
"""


@dataclass(frozen=True)
class Recognition:
    """The number of concerns about a child told of before, and how many had a true candidate.

    `true` and `false` count all candidates.
    """

    told_before: int
    recognised: int
    true: int
    false: int

    @property
    def per_cent(self) -> float:
        """The share of the concerns about a child told of before that have a true candidate."""
        return 100 * self.recognised / self.told_before


def recognise(concerns: Sequence[InventedConcern]) -> Recognition:
    """Compare each concern with all before it, and return the figures."""
    given = [{"card": each.card, "receivedOn": each.received_on.isoformat()} for each in concerns]
    households = [each.household for each in concerns]
    told_before = recognised = true = false = 0
    for place, found in enumerate(run_modules(PROGRAM, concerns=given)):
        right = sum(households[number] == households[place] for number in found)
        told_before += households[place] in households[:place]
        recognised += right > 0
        true += right
        false += len(found) - right
    return Recognition(told_before, recognised, true, false)


def main() -> int:
    """Print the figures of a seed, or of several. Return 1 if a figure misses its bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, nargs="+", default=[SEED], help="seeds of the invented concerns")
    parser.add_argument(
        "--other-script", action="store_true", help="write the names of every third concern in another script"
    )
    arguments = parser.parse_args()
    is_reached = True
    for seed in arguments.seed:
        start = time.perf_counter()
        concerns = list(invent_concerns(seed))
        found = recognise([*in_other_scripts(concerns)] if arguments.other_script else concerns)
        seconds = time.perf_counter() - start
        is_reached &= found.per_cent >= LEAST_RECOGNISED and found.false <= MOST_FALSE
        sys.stdout.write(
            f"seed {seed}: a true candidate for {found.recognised} of {found.told_before} concerns about a child told "
            f"of before ({found.per_cent:.0f} %, at least {LEAST_RECOGNISED}); {found.true} true and {found.false} "
            f"false candidates (at most {MOST_FALSE}); {seconds:.1f} s\n"
        )
    return 0 if is_reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
