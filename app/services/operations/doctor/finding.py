"""What a check of the doctor finds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.services.operations.doctor.patient import Patient


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


@dataclass(frozen=True)
class Check:
    """One check: its name, the function that makes it, and the document to read."""

    name: str
    run: Callable[[Patient], Verdict]
    read: str
    needs_database: bool = False
    opens_database: bool = False
    """True if a fault that it finds keeps the other checks from reading the database."""
    is_long: bool = False
    """True if it reads every row, or a whole backup."""


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    check: str
    condition: Condition
    found: str
    action: str
    read: str


def fine(found: str) -> Verdict:
    """Return the verdict that nothing is to be done."""
    return Verdict(Condition.FINE, found)


def warn(found: str, action: str) -> Verdict:
    """Return the verdict that something will go wrong, or is less safe than it should be."""
    return Verdict(Condition.WARNING, found, action)


def fault(found: str, action: str) -> Verdict:
    """Return the verdict that something is wrong now."""
    return Verdict(Condition.FAULT, found, action)


def unknown(found: str) -> Verdict:
    """Return the verdict that this cannot be seen from here, and why."""
    return Verdict(Condition.SKIPPED, f"not checked: {found}")


def worst(verdicts: Iterable[Verdict], otherwise: str) -> Verdict:
    """Return one verdict for all: the faults, else the warnings, joined; `otherwise` is found if there is neither."""
    found = list(verdicts)
    for condition in (Condition.FAULT, Condition.WARNING):
        alike = [each for each in found if each.condition is condition]
        if alike:
            return Verdict(
                condition,
                "; ".join(each.found for each in alike),
                "; ".join(dict.fromkeys(each.action for each in alike)),
            )
    return fine(otherwise)


def exit_status(findings: Iterable[Finding]) -> int:
    """Return 2 if there is a fault, 1 if there is a warning, else 0."""
    found = {each.condition for each in findings}
    return 2 if Condition.FAULT in found else int(Condition.WARNING in found)
