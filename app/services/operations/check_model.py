"""The model of a configuration check: its subject, its verdict, and its line of the report."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial

from sqlalchemy import Engine
from sqlmodel import Session

from app.age.keys import fingerprint_of
from app.config import Settings
from app.services.guides.editions import CurrentEdition, list_current
from app.services.guides.reference_data import ReferenceData, read_reference_data
from app.services.operations.invariants import Invariant, find_broken
from app.services.operations.watches import Surroundings

MANY_GUIDES = 1000
MOST_NAMES = 3


@dataclass(frozen=True)
class Patient(Surroundings):
    """The subject of the checks: the settings, the database (read only), and the time."""

    rehearse_start: Callable[[Settings, Engine], None]
    """Raises the errors that a start of the service would raise before it listens."""

    @cached_property
    def reference_data(self) -> ReferenceData:
        """The code lists, signposts and legal statements. Raise `SeedFileError`."""
        return read_reference_data(self.settings.seed_dir)

    @cached_property
    def current_editions(self) -> list[CurrentEdition]:
        """The current edition of each guide."""
        with Session(self.engine) as session:
            return list_current(session, limit=MANY_GUIDES)


class Condition(StrEnum):
    """The result of a check."""

    FINE = "fine"
    WARNING = "warning"
    FAULT = "fault"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Verdict:
    """The finding of one check as a sentence, and the action to take."""

    condition: Condition
    found: str
    action: str = ""


WORST_FIRST = (Condition.FAULT, Condition.WARNING, Condition.FINE, Condition.SKIPPED)

SKIPPED_DATABASE = Verdict(Condition.SKIPPED, "skipped: the database cannot be read")

SKIPPED_LONG = Verdict(Condition.SKIPPED, "skipped: it takes a long time")


@dataclass(frozen=True)
class Check:
    """One check: its name, its function, and the document to read."""

    name: str
    run: Callable[[Patient], Verdict | Iterator[Verdict]]
    read: str
    needs_database: bool = False
    opens_database: bool = False
    """True if its fault prevents other checks from reading the database."""
    is_long: bool = False
    """True if it reads every row, or a whole backup."""
    names_somebody: bool = False
    """True if the finding may name a person, a client or a concern. An email leaves it out."""


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    check: str
    condition: Condition
    found: str
    action: str
    read: str


fine = partial(Verdict, Condition.FINE)
"""Make the verdict that no action is needed."""

warn = partial(Verdict, Condition.WARNING)
"""Make the verdict that something will go wrong, or is less safe than it should be."""

fault = partial(Verdict, Condition.FAULT)
"""Make the verdict that something is wrong now."""


def unknown(found: str) -> Verdict:
    """Return the verdict that this could not be checked from here, and why."""
    return Verdict(Condition.SKIPPED, f"not checked: {found}")


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return one verdict for all: the faults joined, otherwise the warnings, otherwise fine or not checked."""
    found = list(verdicts)
    condition = next(each for each in WORST_FIRST if each in {verdict.condition for verdict in found})
    alike = [each for each in found if each.condition is condition]
    actions = dict.fromkeys(each.action for each in alike)
    return Verdict(condition, "; ".join(each.found for each in alike), "; ".join(actions))


def exit_status(findings: Iterable[Finding]) -> int:
    """Return 2 if there is a fault, 1 if there is a warning, otherwise 0."""
    found = {each.condition for each in findings}
    return 2 if Condition.FAULT in found else int(Condition.WARNING in found)


def in_short(names: list[str]) -> str:
    """Return the first names as text, with the count of the others."""
    return ", ".join(names[:MOST_NAMES]) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")


def find_broken_rows(patient: Patient, invariant: Invariant) -> list[str]:
    """Return each fault found by the integrity check."""
    recipients = [fingerprint_of(each) for each in patient.settings.seal_to]
    return find_broken(patient.engine, invariant, recipients=recipients, at=patient.at)
