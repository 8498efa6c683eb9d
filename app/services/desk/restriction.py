"""Restriction of a concern by the desk, so that only leads or named people may open it."""

from sqlmodel import Session

from app.errors import FaultCode, FieldError, ScopeMissing, ValidationFailed
from app.models.access.clients import Scope
from app.models.audit.details import ReasonDetails, RestrictedDetails, ShownDetails
from app.models.audit.rows import DeskAct
from app.models.concerns.rows import ConcernRow, people_of_limit
from app.models.desk.restriction import Restriction, RestrictionState
from app.models.links import desk_concern_path
from app.services.access.restrictions import list_leads, list_readers, restrict
from app.services.audit.audit_log import Actor, record_action, record_change
from app.services.concerns.receipts import ReceiptBuilder
from app.services.concerns.rows import expect_officer_told, get_concern, get_unerased

NOT_A_READER = "nobody of this name reads concerns at the desk"
FEWEST_PEOPLE = 2
TOO_FEW = "name at least two people, so that nobody is alone with it"
NO_LEAD_NAMED = "name at least one lead: only a lead among them can lift the restriction"
ONLY_WITH_RESTRICTED = "only with a restriction"


def set_restriction(
    session: Session, reference: str, restriction: Restriction, actor: Actor, receipts: ReceiptBuilder
) -> RestrictionState:
    """Restrict to leads or `people`, or lift it, and unassign a worker who may not open it. Return who may.

    Raise `NoSuchConcern`; `ConcernErased` for an allegation; `ScopeMissing` if anyone but a lead names people, changes
    or lifts; `ValidationFailed` for people or an allegation with a lifting, and for people who do not read concerns,
    fewer than `FEWEST_PEOPLE`, or without a lead.
    """
    concern = (get_unerased if restriction.allegation else get_concern)(session, reference)
    if not actor.is_lead and (restriction.people or concern.limited_to or not restriction.restricted):
        raise ScopeMissing(Scope.RESTRICTED)
    if faults := _faults_in(session, restriction):
        raise ValidationFailed(faults)
    if restriction.restricted:
        people = tuple(sorted(set(restriction.people)))
        officer_by = receipts.officer_by(is_allegation=restriction.allegation, at=actor.at)
        details = RestrictedDetails(people=people, reason=restriction.reason, officer_by=officer_by)
        restrict(session, concern, details, actor)
        expect_officer_told(session, reference, officer_by)
    else:
        record_change(session, concern, DeskAct.RESTRICTION_LIFTED, actor, ReasonDetails(reason=restriction.reason))
        concern.limited_to = ""
        session.flush()
    return state_of(concern)


def read_restriction(session: Session, reference: str, actor: Actor) -> RestrictionState:
    """Return the restriction, and record the reading. Raise `NoSuchConcern`."""
    concern = get_concern(session, reference)
    record_action(session, reference, DeskAct.LISTED, actor, ShownDetails(what="restriction"))
    return state_of(concern)


def state_of(concern: ConcernRow) -> RestrictionState:
    """Return the restriction of a concern. The caller records the reading."""
    return RestrictionState(
        reference=concern.reference,
        restricted=concern.limited_to != "",
        people=tuple(people_of_limit(concern.limited_to)),
        links={
            "self": desk_concern_path(concern.reference, "restriction"),
            "concern": desk_concern_path(concern.reference),
        },
    )


def _faults_in(session: Session, restriction: Restriction) -> list[FieldError]:
    if not restriction.restricted:
        given = {"people": restriction.people, "allegation": restriction.allegation}
        return [FieldError((name,), ONLY_WITH_RESTRICTED, FaultCode.INVALID) for name in given if given[name]]
    if not restriction.people:
        return []
    readers, leads = list_readers(session), list_leads(session)
    faults = [
        FieldError(("people", place), NOT_A_READER, FaultCode.NOT_LISTED)
        for place, name in enumerate(restriction.people)
        if name not in readers
    ]
    if len(set(restriction.people)) < FEWEST_PEOPLE:
        faults.append(FieldError(("people",), TOO_FEW, FaultCode.TOO_FEW))
    if not faults and not set(restriction.people).intersection(leads):
        faults.append(FieldError(("people",), NO_LEAD_NAMED, FaultCode.INVALID))
    return faults
