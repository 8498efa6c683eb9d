"""Restricted concerns: the SQL condition for who may open a concern, the refusal of everyone else, and the restriction.

If none of the named people may read concerns any more, leads may open one; without a lead, everyone at the desk.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    cast,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlmodel import Session

from app.db.tables import table_of
from app.db.writer import Writer, write_without_change
from app.errors import NoSuchConcern
from app.models.access.clients import OF_A_LEAD, ClientRow, Scope
from app.models.access.people import PersonRow
from app.models.access.roles import Role, roles_with
from app.models.audit.details import ReasonDetails, RestrictedDetails
from app.models.audit.rows import DeskAct
from app.models.concerns.rows import LEADS, RESTRICTED, ConcernRow, is_in_limit, limit_to
from app.services.audit.audit_log import Actor, names_a_person, record_action, record_change

NO_SUCH_REFERENCE = "No concern has that reference. Check the spelling."
MAY_NOT_OPEN = "the person may not open the concern"
_CONCERNS, _PEOPLE, _CLIENTS = table_of(ConcernRow).c, table_of(PersonRow).c, table_of(ClientRow).c
_LIMITED, _CHOSEN = table_of(ConcernRow).alias("limited").c, table_of(PersonRow).alias("chosen")
_IS_LIMITED: ColumnElement[bool] = literal_column(f"limited.{RESTRICTED}")
_IS_RESTRICTED = select(_CONCERNS.restricted).where(_CONCERNS.reference == bindparam("reference"))
_READERS, _LEADS = roles_with(Scope.READ), roles_with(*OF_A_LEAD)
_HAS_SCOPE = {scope: cast(_CLIENTS.scopes, String).contains(f'"{scope}"') for scope in Scope}
_READS_AS_PERSON = (_CLIENTS.revoked_at.is_(None), _CLIENTS.person.is_not(None), _HAS_SCOPE[Scope.READ])
_LEADS_AS_CLIENT = (
    _CLIENTS.revoked_at.is_(None),
    or_(
        and_(_HAS_SCOPE[Scope.RESTRICTED], _HAS_SCOPE[Scope.READ]),
        and_(_CLIENTS.person.is_not(None), *(_HAS_SCOPE[scope] for scope in sorted(OF_A_LEAD))),
    ),
)
_HAS_LEAD: ColumnElement[bool] = or_(
    exists().where(_PEOPLE.left_at.is_(None), _PEOPLE.role.in_(_LEADS)), exists().where(*_LEADS_AS_CLIENT)
)
_NAMES_NOBODY_HERE = and_(
    ~exists().where(
        _PEOPLE.left_at.is_(None), _PEOPLE.role.in_(_READERS), is_in_limit(_PEOPLE.name, _LIMITED.limited_to)
    ),
    ~exists().where(*_READS_AS_PERSON, is_in_limit(_CLIENTS.person, _LIMITED.limited_to)),
)


def may_open(actor: Actor) -> ColumnElement[bool]:
    """Return the condition of every list of concerns. It uses only the reference, so that lists stay in their index."""
    return _may_open(_is_open_to(actor))


def hidden_from(actor: Actor) -> Select[Any]:
    return _limited(~_is_open_to(actor))


def uncounted(actor: Actor | None) -> Select[Any]:
    """Select the concerns to leave out of numbers for `actor`.

    A total would tell when somebody acts on a hidden concern.
    """
    return hidden_from(actor) if actor and not actor.is_lead else _limited(false())


def find_hidden(session: Session, references: Collection[str], actor: Actor) -> set[str]:
    hidden = hidden_from(actor).where(_LIMITED.reference.in_(references))
    return set(session.execute(hidden).scalars()) if references else set()


def find_restricted(session: Session, references: Collection[str]) -> set[str]:
    restricted = select(_LIMITED.reference).where(_IS_LIMITED, _LIMITED.reference.in_(references))
    return set(session.execute(restricted).scalars()) if references else set()


class RestrictedCounts(NamedTuple):
    """Numbers of restricted concerns. `nameless` are limited to people none of whom can read concerns."""

    restricted: int
    to_leads: int
    nameless: int


def count_restricted(session: Session) -> RestrictedCounts:
    to_leads = _LIMITED.limited_to == LEADS
    numbers = (func.count(), func.count().filter(to_leads), func.count().filter(~to_leads, _NAMES_NOBODY_HERE))
    return RestrictedCounts(*session.execute(select(*numbers).where(_IS_LIMITED)).one())


def is_openable(session: Session, reference: str, actor: Actor) -> bool:
    return session.execute(_one(reference).where(may_open(actor))).first() is not None


def expect_openable(writer: Writer, reference: str, actor: Actor) -> None:
    """Raise `NoSuchConcern` also if `actor` may not open the concern, which is recorded. Both take the same time."""
    with Session(writer.engine) as session:
        restricted = session.execute(_IS_RESTRICTED, {"reference": reference}).scalar_one_or_none()
        if restricted == 0 or (restricted == 1 and is_openable(session, reference, actor)):
            return
    writer.run(_record_refusal, reference, actor)
    raise NoSuchConcern(NO_SUCH_REFERENCE)


def restrict(session: Session, concern: ConcernRow, details: RestrictedDetails, actor: Actor) -> None:
    """Limit `concern` to people, or to leads, even if others have changed it. Unassign anyone who may not open it."""
    record_change(session, concern, DeskAct.RESTRICTED, actor, details)
    concern.limited_to = limit_to(details.people)
    session.flush()
    if concern.assigned_to and not is_openable_by(session, concern.reference, concern.assigned_to):
        refused = ReasonDetails(reason=MAY_NOT_OPEN)
        record_change(session, concern, DeskAct.UNASSIGNED, replace(actor, seen=None), refused)
        concern.assigned_to = ""
        session.flush()


def is_openable_by(session: Session, reference: str, person: str) -> bool:
    return session.execute(_one(reference).where(may_be_opened_by(person))).first() is not None


def may_be_opened_by(person: str) -> ColumnElement[bool]:
    """Return the condition for concerns that a person may open. It holds for every concern that is not restricted."""
    return _may_open(_is_open(literal(person), is_lead=_is_lead(literal(person))))


def list_openers(session: Session, reference: str, people: Collection[str]) -> list[str]:
    """Return the people of the desk among those named. Whether they may read concerns is not checked."""
    name = _CHOSEN.c.name
    closed = _limited(~_is_open(name, is_lead=_is_lead(name))).where(_LIMITED.reference == reference)
    openers = select(name).where(name.in_(people), ~closed.exists())
    return list(session.execute(openers.order_by(name)).scalars())


def list_readers(session: Session) -> list[str]:
    """Return the people who may read concerns at the desk or through a client of theirs."""
    return _names(session, _READERS, *_READS_AS_PERSON)


def list_leads(session: Session) -> list[str]:
    return _names(session, _LEADS, _CLIENTS.person.is_not(None), *_LEADS_AS_CLIENT)


def has_lead(session: Session) -> bool:
    """Return True also if a client may open restricted concerns as a lead may."""
    return bool(session.execute(select(_HAS_LEAD)).scalar_one())


def _names(session: Session, roles: Collection[Role], *of_clients: ColumnElement[bool]) -> list[str]:
    at_the_desk = select(_PEOPLE.name).where(_PEOPLE.left_at.is_(None), _PEOPLE.role.in_(roles))
    return sorted(session.execute(at_the_desk.union(select(_CLIENTS.person).where(*of_clients))).scalars())


def _may_open(is_open: ColumnElement[bool]) -> ColumnElement[bool]:
    return _CONCERNS.reference.not_in(_limited(~is_open))


def _is_open_to(actor: Actor) -> ColumnElement[bool]:
    person = literal(actor.person) if names_a_person(actor.client) else None
    return _is_open(person, is_lead=true() if actor.is_lead else false())


def _is_open(person: ColumnElement[Any] | None, *, is_lead: ColumnElement[bool]) -> ColumnElement[bool]:
    for_leads = and_(_NAMES_NOBODY_HERE, or_(is_lead, ~_HAS_LEAD))
    return for_leads if person is None else or_(is_in_limit(person, _LIMITED.limited_to), for_leads)


def _is_lead(person: ColumnElement[Any]) -> ColumnElement[bool]:
    at_the_desk = exists().where(_PEOPLE.name == person, _PEOPLE.left_at.is_(None), _PEOPLE.role.in_(_LEADS))
    by_a_client = exists().where(_CLIENTS.person == person, *_LEADS_AS_CLIENT)
    return or_(at_the_desk.correlate(_CHOSEN), by_a_client.correlate(_CHOSEN))


def _limited(condition: ColumnElement[bool]) -> Select[Any]:
    return select(_LIMITED.reference).where(_IS_LIMITED, condition)


def _one(reference: str) -> Select[Any]:
    return select(_CONCERNS.reference).where(_CONCERNS.reference == reference)


def _record_refusal(session: Session, reference: str, actor: Actor) -> None:
    if session.execute(_one(reference)).first() is None:
        write_without_change(session)
    else:
        record_action(session, reference, DeskAct.LOOK_REFUSED, actor)
