"""A check of a set-up: what it found, what to do, and where to read."""

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
    """What the checks look at: the settings, the database (which is only read), and the time."""

    rehearse_start: Callable[[Settings, Engine], None]
    """Raises what a start of the service would raise before it listens."""

    @cached_property
    def reference_data(self) -> ReferenceData:
        """The code lists, signposts and legal statements. Raises `SeedFileError`."""
        return read_reference_data(self.settings.seed_dir)

    @cached_property
    def current_editions(self) -> list[CurrentEdition]:
        """The current edition of each guide."""
        with Session(self.engine) as session:
            return list_current(session, limit=MANY_GUIDES)


class Condition(StrEnum):
    """How the subject of a check is."""

    FINE = "fine"
    WARNING = "warning"
    FAULT = "fault"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Verdict:
    """What one check found, in a sentence, and what to do about it."""

    condition: Condition
    found: str
    action: str = ""


WORST_FIRST = (Condition.FAULT, Condition.WARNING, Condition.FINE, Condition.SKIPPED)

SKIPPED_DATABASE = Verdict(Condition.SKIPPED, "skipped: the database cannot be read")

SKIPPED_LONG = Verdict(Condition.SKIPPED, "skipped: it takes a long time")


@dataclass(frozen=True)
class Check:
    """One check: its name, the function that makes it, and the document to read."""

    name: str
    run: Callable[[Patient], Verdict | Iterator[Verdict]]
    read: str
    needs_database: bool = False
    opens_database: bool = False
    """True if a fault that it finds keeps the other checks from reading the database."""
    is_long: bool = False
    """True if it reads every row, or a whole backup."""
    names_somebody: bool = False
    """True if what it finds may name a person, a client or a concern: an email does not repeat it."""


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    check: str
    condition: Condition
    found: str
    action: str
    read: str


fine = partial(Verdict, Condition.FINE)
"""Makes the verdict that nothing is to be done."""

warn = partial(Verdict, Condition.WARNING)
"""Makes the verdict that something will go wrong, or is less safe than it should be."""

fault = partial(Verdict, Condition.FAULT)
"""Makes the verdict that something is wrong now."""


def unknown(found: str) -> Verdict:
    """Return the verdict that this cannot be seen from here, and why."""
    return Verdict(Condition.SKIPPED, f"not checked: {found}")


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return one verdict for all: the faults joined, else the warnings, else that all is fine or not checked."""
    found = list(verdicts)
    condition = next(each for each in WORST_FIRST if each in {verdict.condition for verdict in found})
    alike = [each for each in found if each.condition is condition]
    actions = dict.fromkeys(each.action for each in alike)
    return Verdict(condition, "; ".join(each.found for each in alike), "; ".join(actions))


def exit_status(findings: Iterable[Finding]) -> int:
    """Return 2 if there is a fault, 1 if there is a warning, else 0."""
    found = {each.condition for each in findings}
    return 2 if Condition.FAULT in found else int(Condition.WARNING in found)


def in_short(names: list[str]) -> str:
    """Return the first names in a sentence, and how many more there are."""
    return ", ".join(names[:MOST_NAMES]) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")


def find_broken_rows(patient: Patient, invariant: Invariant) -> list[str]:
    """Return each fault that the integrity check finds."""
    recipients = [fingerprint_of(each) for each in patient.settings.seal_to]
    return find_broken(patient.engine, invariant, recipients=recipients, at=patient.at)
