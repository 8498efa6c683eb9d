"""A check of `guidance doctor`, of its own or of another extension: its inputs and its verdict."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial

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
    """Settings, database and time for a check."""

    @cached_property
    def reference_data(self) -> ReferenceData:
        """Read the reference data. Raise `SeedFileError`."""
        return read_reference_data(self.settings.seed_dir, self.settings.council, self.settings.out_of_hours_phone)

    @cached_property
    def current_editions(self) -> list[CurrentEdition]:
        """Return at most `MANY_GUIDES` current editions."""
        with Session(self.engine) as session:
            return list_current(session, limit=MANY_GUIDES)


@contextmanager
def open_check_context(settings: Settings, *, at: dt.datetime) -> Iterator[CheckContext]:
    """Open the database for reading, and yield the context. Raise `SetupError` if its setting is no PostgreSQL URL."""
    engine = open_to_read(settings.data_dir, settings.database_address)
    try:
        yield CheckContext(settings, engine, at)
    finally:
        engine.dispose()


class Condition(StrEnum):
    """The condition that a check found: no problem, something to improve, something wrong now, or not checked."""

    FINE = "fine"
    WARNING = "warning"
    FAULT = "fault"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Verdict:
    """The finding as a sentence, and what the operator should do."""

    condition: Condition
    found: str
    action: str = ""


WORST_FIRST = (Condition.FAULT, Condition.WARNING, Condition.FINE, Condition.SKIPPED)


@dataclass(frozen=True)
class Check:
    """A check. `read` is the path of a document. `worst_verdict` combines several verdicts."""

    name: str
    run: Callable[[CheckContext], Verdict | Iterator[Verdict]]
    read: str
    needs_database: bool = False
    """Skipped when it cannot be read."""
    opens_database: bool = False
    """A problem found means that the database cannot be read."""
    is_long: bool = False
    """Reads every row, every page or a whole backup: a quick run skips it."""
    may_name_someone: bool = False
    """An email gives only the check's name."""


fine = partial(Verdict, Condition.FINE)

warn = partial(Verdict, Condition.WARNING)
"""Something will go wrong, or is less safe than it should be."""

fault = partial(Verdict, Condition.FAULT)
"""Something is wrong now."""


def unchecked_verdict(found: str) -> Verdict:
    """Return the verdict of what could not be checked here."""
    return Verdict(Condition.SKIPPED, f"not checked: {found}")


def worst_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """Join findings and actions of the worst condition: fault, warning, fine, skipped.

    There must be at least one verdict.
    """
    found = list(verdicts)
    condition = next(each for each in WORST_FIRST if each in {verdict.condition for verdict in found})
    alike = [each for each in found if each.condition is condition]
    actions = dict.fromkeys(each.action for each in alike)
    return Verdict(condition, "; ".join(each.found for each in alike), "; ".join(actions))


def in_short(names: list[str]) -> str:
    """Return the first `MOST_NAMES`, and how many more there are."""
    return ", ".join(names[:MOST_NAMES]) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")


def find_broken_rows(context: CheckContext, invariant: Invariant) -> list[str]:
    recipients = [fingerprint_of(each) for each in context.settings.seal_to]
    return find_broken(context.engine, invariant, recipients=recipients, at=context.at)
