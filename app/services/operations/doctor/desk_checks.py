"""Checks of the concerns and of the record: what waits too long, and what is always true."""

from sqlmodel import Session

from app.age.keys import fingerprint_of
from app.services.operations.doctor.finding import Check, Verdict, fault, fine, warn
from app.services.operations.doctor.patient import Patient
from app.services.operations.invariants import Invariant, find_broken
from app.store.additions import count_additions
from app.store.inbox import count_states

INVARIANTS_DOCUMENT = "docs/reference/operations.md#invariants"


def check_overdue(patient: Patient) -> Verdict:
    """Check that nothing waits for the desk after its time."""
    with Session(patient.engine) as session:
        late = count_states(session, now=patient.at)["overdue"]
        late += count_additions(session, now=patient.at)["additions_overdue"]
    if late:
        return warn(f"{late} concerns or additions wait past their time", "call the duty team now")
    return fine("nothing waits past its time")


def check_overdue_events(patient: Patient) -> Verdict:
    """Check that whatever is overdue was announced."""
    broken = _find(patient, Invariant.OVERDUE_EVENTS)
    if broken:
        return fault(
            f"{len(broken)} wait past their time, and no event says so",
            "start guidance serve or guidance deliver with GUIDANCE_DELIVER, and read the log",
        )
    return fine("every overdue concern has its event")


def check_chains(patient: Patient) -> Verdict:
    """Check that every chain of disclosures verifies."""
    broken = _find(patient, Invariant.CHAINS)
    if broken:
        return fault(f"{len(broken)} faults in the record: {broken[0]}", "keep the files as they are; guidance verify")
    return fine("every chain of disclosures verifies")


def check_removed_recipients(patient: Patient) -> Verdict:
    """Check that no text is sealed to a recipient that GUIDANCE_SEAL_TO no longer has."""
    if not patient.settings.seal_to:
        return fine("a trial has no recipients")
    broken = _find(patient, Invariant.RECIPIENTS)
    if broken:
        return fault(
            f"{len(broken)} texts are sealed to a recipient that was removed",
            "run guidance keys reseal where an identity is",
        )
    return fine("every text is sealed to the recipients of now alone")


def _find(patient: Patient, invariant: Invariant) -> list[str]:
    recipients = [fingerprint_of(each) for each in patient.settings.seal_to]
    return find_broken(patient.engine, invariant, recipients=recipients, at=patient.at)


DESK_CHECKS = (
    Check("overdue", check_overdue, "docs/reference/operations.md#background-workers", needs_database=True),
    Check("overdue-events", check_overdue_events, INVARIANTS_DOCUMENT, needs_database=True),
    Check("chains", check_chains, INVARIANTS_DOCUMENT, needs_database=True, is_long=True),
    Check(
        "removed-recipients",
        check_removed_recipients,
        "docs/how-to/keys-and-sealed-concerns.md#change-keys",
        needs_database=True,
    ),
)
