"""Restriction of a concern by the desk, so that only leads or named people may open it."""

from sqlmodel import Session

from app.errors import FaultCode, FieldError, ScopeMissing, ValidationFailed
from app.models.access.clients import Scope
from app.models.audit.audit_log import DeskAct
from app.models.audit.details import ReasonDetails, ShownDetails
from app.models.concerns.rows import ConcernRow, people_of_limit
from app.models.desk.restriction import Restriction, RestrictionState
from app.models.links import desk_concern_path
from app.services.audit.audit_log import Actor, record_action, record_change
from app.services.audit.restrictions import list_leads, list_readers, restrict
from app.services.concerns.rows import get_concern

NOT_A_READER = "nobody of this name reads concerns at the desk"
FEWEST_PEOPLE = 2
TOO_FEW = "name at least two people, so that nobody is alone with it"
NO_LEAD_NAMED = "name at least one lead: only a lead among them can lift the restriction"
ONLY_WITH_RESTRICTED = "name people only with a restriction"


def set_restriction(session: Session, reference: str, wanted: Restriction, actor: Actor) -> RestrictionState:
    """Restrict to leads or `people`, or lift it. Return who may open it now. Everyone may restrict to leads.

    Who has it and may not open it is unassigned. Raise `NoSuchConcern`; `ScopeMissing` if no lead names people, changes
    or lifts; `ValidationFailed` for people with a lifting, who do not read concerns, fewer than `FEWEST_PEOPLE`, or
    without a lead.
    """
    concern = get_concern(session, reference)
    if not actor.is_lead and (wanted.people or concern.limited_to or not wanted.restricted):
        raise ScopeMissing(Scope.RESTRICTED)
    if faults := _faults_in_people(session, wanted):
        raise ValidationFailed(faults)
    if wanted.restricted:
        restrict(session, concern, sorted(set(wanted.people)), wanted.reason, actor)
    else:
        record_change(session, concern, DeskAct.RESTRICTION_LIFTED, actor, ReasonDetails(reason=wanted.reason))
        concern.limited_to = ""
        session.flush()
    return state_of(concern)


def read_restriction(session: Session, reference: str, actor: Actor) -> RestrictionState:
    """Record the reading. Raise `NoSuchConcern`."""
    concern = get_concern(session, reference)
    record_action(session, reference, DeskAct.LISTED, actor, ShownDetails(what="restriction"))
    return state_of(concern)


def state_of(concern: ConcernRow) -> RestrictionState:
    """The caller records the reading."""
    return RestrictionState(
        reference=concern.reference,
        restricted=concern.limited_to != "",
        people=tuple(people_of_limit(concern.limited_to)),
        links={
            "self": desk_concern_path(concern.reference, "restriction"),
            "concern": desk_concern_path(concern.reference),
        },
    )


def _faults_in_people(session: Session, wanted: Restriction) -> list[FieldError]:
    if not wanted.people:
        return []
    if not wanted.restricted:
        return [FieldError(("people",), ONLY_WITH_RESTRICTED, FaultCode.INVALID)]
    readers, leads = list_readers(session), list_leads(session)
    faults = [
        FieldError(("people", place), NOT_A_READER, FaultCode.NOT_LISTED)
        for place, name in enumerate(wanted.people)
        if name not in readers
    ]
    if len(set(wanted.people)) < FEWEST_PEOPLE:
        faults.append(FieldError(("people",), TOO_FEW, FaultCode.TOO_FEW))
    if not faults and not set(wanted.people).intersection(leads):
        faults.append(FieldError(("people",), NO_LEAD_NAMED, FaultCode.INVALID))
    return faults
