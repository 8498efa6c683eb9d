"""The model of a check of `guidance doctor`: its inputs, its verdict, and its line in the report."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial

from sqlalchemy import Engine
from sqlmodel import Session

from app.age.keys import fingerprint_of
from app.config import Settings
from app.db.database import open_to_read
from app.services.guides.editions import CurrentEdition, list_current
from app.services.guides.reference_data import ReferenceData, read_reference_data
from app.services.operations.invariants import Invariant, find_broken
from app.services.operations.watches import MeasurementContext

MANY_GUIDES = 1000
MOST_NAMES = 3


@dataclass(frozen=True)
class CheckContext(MeasurementContext):
    """The inputs of a check of `guidance doctor`: the settings, the database (only read), and the time of the check."""

    rehearse_start: Callable[[Settings, Engine], None]
    """A function that raises the error that a start of the service would raise before it listens, if there is one."""

    @cached_property
    def reference_data(self) -> ReferenceData:
        """The code lists, signposts and legal statements in the seed folder.

        Raise `SeedFileError` if a file is not valid.
        """
        return read_reference_data(self.settings.seed_dir, self.settings.council, self.settings.out_of_hours_phone)

    @cached_property
    def current_editions(self) -> list[CurrentEdition]:
        """The current editions of up to `MANY_GUIDES` guides, one for each guide."""
        with Session(self.engine) as session:
            return list_current(session, limit=MANY_GUIDES)


@contextmanager
def open_check_context(
    settings: Settings, *, at: dt.datetime, rehearse_start: Callable[[Settings, Engine], None]
) -> Iterator[CheckContext]:
    """Open the database for reading, yield the inputs of the checks, and close the database at the end.

    `at` is the time of the checks. `rehearse_start` raises the error that a start of the service would raise before it
    listens. Raise `SetupError` if the database setting is not a PostgreSQL URL.
    """
    engine = open_to_read(settings.data_dir, settings.database_address)
    try:
        yield CheckContext(settings, engine, at, rehearse_start)
    finally:
        engine.dispose()


class Condition(StrEnum):
    """The kind of a verdict: no problem, something to improve, something wrong now, or not checked."""

    FINE = "fine"
    WARNING = "warning"
    FAULT = "fault"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Verdict:
    """The result of a check: its condition, the finding as a sentence, and the action for the operator to take."""

    condition: Condition
    found: str
    action: str = ""


WORST_FIRST = (Condition.FAULT, Condition.WARNING, Condition.FINE, Condition.SKIPPED)

SKIPPED_DATABASE = Verdict(Condition.SKIPPED, "skipped: the database cannot be read")

SKIPPED_LONG = Verdict(Condition.SKIPPED, "skipped: it takes a long time")


@dataclass(frozen=True)
class Check:
    """A check: its name, the function `run` that makes the check, and `read`, the path of a document about the check.

    If `run` yields several verdicts, `worst` combines them.
    """

    name: str
    run: Callable[[CheckContext], Verdict | Iterator[Verdict]]
    read: str
    needs_database: bool = False
    """True if the check is skipped when the database cannot be read."""
    opens_database: bool = False
    """True if a problem that this check finds means that the database cannot be read."""
    is_long: bool = False
    """True if the check reads every row, every page or a whole backup. A quick run skips the check."""
    may_name_someone: bool = False
    """True if the finding may name a person, a client or a concern. An email gives only the name of this check."""


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report: the name and result of a check, and `read`, the path of a document about it."""

    check: str
    condition: Condition
    found: str
    action: str
    read: str


fine = partial(Verdict, Condition.FINE)
"""Make a verdict that no action is needed."""

warn = partial(Verdict, Condition.WARNING)
"""Make a verdict that something will go wrong, or is less safe than it should be."""

fault = partial(Verdict, Condition.FAULT)
"""Make a verdict that something is wrong now."""


def unknown(found: str) -> Verdict:
    """Make a verdict that this computer could not make the check. `found` is the reason."""
    return Verdict(Condition.SKIPPED, f"not checked: {found}")


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Combine `verdicts` into one verdict with the worst condition: fault, then warning, fine, skipped.

    Join the findings and the actions of all verdicts that have this condition, and leave out the other verdicts.
    `verdicts` must not be empty.
    """
    found = list(verdicts)
    condition = next(each for each in WORST_FIRST if each in {verdict.condition for verdict in found})
    alike = [each for each in found if each.condition is condition]
    actions = dict.fromkeys(each.action for each in alike)
    return Verdict(condition, "; ".join(each.found for each in alike), "; ".join(actions))


def exit_status(findings: Iterable[Finding]) -> int:
    """Return the exit status of the doctor: 2 if `findings` have a fault, otherwise 1 for a warning, otherwise 0."""
    found = {each.condition for each in findings}
    return 2 if Condition.FAULT in found else int(Condition.WARNING in found)


def in_short(names: list[str]) -> str:
    """Return the first `MOST_NAMES` of `names`, joined by commas. If there are more, add how many more."""
    return ", ".join(names[:MOST_NAMES]) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")


def find_broken_rows(context: CheckContext, invariant: Invariant) -> list[str]:
    """Run the integrity check `invariant` on the database of `context`, and return each fault as a text."""
    recipients = [fingerprint_of(each) for each in context.settings.seal_to]
    return find_broken(context.engine, invariant, recipients=recipients, at=context.at)
