"""The pages of the people at the desk: their concerns, invitations, roles and sessions, and the removal of a person.

Auditors and leads can read them. A lead can give and change a role only if the lead has every scope of the role.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Query, Response
from sqlmodel import Session

from app.errors import RoleNotYours, SameAssignment, SetupError
from app.models.access.people import PersonRow
from app.models.access.roles import Role, roles_within
from app.pages.access.keys import HOLDERS, address_of_person, current_keys
from app.pages.frame import AuditVisitDep, DeskRouter, LeadVisitDep, Visit, lead_to
from app.pages.posted_forms import SubmittedForm, SubmittedFormDep
from app.services.access.key_copies import list_passkeys, may_hold_key
from app.services.access.people import (
    change_role,
    count_passkeys,
    find_last_uses,
    get_person,
    invite,
    list_people,
    list_workers,
    lock_person_out,
)
from app.services.access.sign_in import INVITATION, PATH
from app.services.desk.assignment import give_all, open_concerns_of
from app.services.desk.leaving import remove_person
from app.services.desk.workload import read_workload

router = DeskRouter()
PEOPLE = f"{PATH}/people"
LIFETIMES = {"4 hours": dt.timedelta(hours=4), "2 days": dt.timedelta(days=2), "7 days": dt.timedelta(days=7)}
USUAL_LIFETIME = "2 days"
ROLE_WORDS = {
    Role.READER: "Reader: reads concerns",
    Role.WORKER: "Worker: reads concerns and acts on them",
    Role.LEAD: "Lead: a worker who also reads the audit log and manages people",
    Role.AUDITOR: "Auditor: reads the audit log, and no concern",
    Role.EDITOR: "Editor: writes guides, and reads no concern",
    Role.PUBLISHER: "Publisher: writes and publishes guides, and reads no concern",
}
NOBODY, PERSON = "nobody", "person:"
NO_FIELDS = dict.fromkeys(("name", "role", "lifetime", "to", "reason"), "")
MOST_LISTED = 200
MAX_REASON = 200
NAME_NEEDED = "Enter the person’s name, as the audit log should show it"
TAKEN = "Someone at the desk has this name. Change their role on their page"
CHOOSE_ROLE = "Choose a role"
CHOOSE_OTHER = "Choose another person"
REASON_NEEDED = "Enter a reason, for the audit log"
NameInQuery = Annotated[str, Query(alias="name", max_length=200)]


@dataclass(frozen=True)
class PersonLine:
    """A line of the list. `seen_at` is the last use of a session that is still stored."""

    row: PersonRow
    passkeys: int
    seen_at: dt.datetime | None


@dataclass(frozen=True)
class Typed:
    fields: dict[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


NOTHING_TYPED = Typed()


@router.get("/people")
def read_people(visit: AuditVisitDep) -> Response:
    return _people_page(visit)


def _people_page(visit: Visit, typed: Typed = NOTHING_TYPED, *, status: int = 200) -> Response:
    with Session(visit.context.engine) as session:
        rows = list_people(session)
        passkeys, used = count_passkeys(session), find_last_uses(session)
        people = [PersonLine(row, passkeys[row.name], used.get(row.name)) for row in rows if not row.is_over]
    return visit.page(
        "desk_people.html",
        status=status,
        people=people,
        former=[row for row in rows if row.is_over],
        roles=_roles(visit),
        lifetimes=list(LIFETIMES),
        typed=NO_FIELDS | typed.fields,
        faults=typed.faults,
    )


@router.post("/people/invitation")
def invite_on_page(visit: LeadVisitDep, posted: SubmittedFormDep) -> Response:
    """Show the link once. Refuse a person with a passkey: anyone with the link could sign in as them."""
    name, role = posted.one("name").strip(), _role_of(posted, visit)
    faults = {} if role else {"role": CHOOSE_ROLE}
    if not name:
        faults = {"name": NAME_NEEDED} | faults
    with Session(visit.context.engine) as session:
        row = session.get(PersonRow, name)
        if row is not None and not row.is_over and not _may_get_link(session, row, visit):
            faults = {"name": TAKEN}
    if not faults and role is not None:
        ends = visit.now + LIFETIMES.get(posted.one("lifetime"), LIFETIMES[USUAL_LIFETIME])
        writer = visit.context.writer
        try:
            token = invite(writer, name, role=role, expires_at=ends, at=visit.now, actor=visit.actor)
        except SetupError as error:
            faults = {"name": f"{str(error)[:1].upper()}{str(error)[1:]}"}
        else:
            origin = visit.context.desk_sign_in.party(visit.request.url.port).origin
            link = f"{origin}{INVITATION}#{token}"
            return visit.page("desk_invited.html", name=name, role=ROLE_WORDS[role], link=link, ends=ends, is_own=False)
    typed = {each: posted.one(each) for each in ("name", "role", "lifetime")}
    return _people_page(visit, Typed(typed, faults), status=422)


@router.get("/people/person")
def read_person(visit: AuditVisitDep, name: NameInQuery) -> Response:
    return _person_page(visit, name)


def _person_page(visit: Visit, name: str, typed: Typed = NOTHING_TYPED, *, leaves: bool = False) -> Response:
    loads = read_workload(visit.context.writer, actor=visit.actor)
    with Session(visit.context.engine) as session:
        line = PersonLine(get_person(session, name), count_passkeys(session)[name], find_last_uses(session).get(name))
        gets_link = _may_get_link(session, line.row, visit)
        references = list(session.exec(open_concerns_of(name, visit.actor).limit(MOST_LISTED)))
        workers = [each for each in list_workers(session) if each != name]
        passkeys = list_passkeys(session, name, current_keys(visit))
    return visit.page(
        "desk_leaving_person.html" if leaves else "desk_person.html",
        status=422 if typed.faults else 200,
        line=line,
        load=next((each for each in loads if each.person == name), None),
        references=references,
        workers=workers,
        gets_link=gets_link,
        roles=_roles(visit),
        can_change=_may_change(visit, line.row),
        is_self=name == visit.visitor.name,
        lifetimes=list(LIFETIMES),
        typed=NO_FIELDS | typed.fields,
        faults=typed.faults,
        own_page=address_of_person(name),
        passkeys=passkeys,
        may_hold=may_hold_key(line.row),
    )


@router.post("/people/role")
def change_role_on_page(visit: LeadVisitDep, posted: SubmittedFormDep) -> Response:
    """Change a role. A lead's own, and one given by an OpenID provider, is refused."""
    name, role = posted.one("name"), _role_of(posted, visit)
    if role is None:
        return _person_page(visit, name, Typed({}, {"role": CHOOSE_ROLE}))
    _expect_changeable(visit, name)
    visit.context.writer.run(change_role, name, role, actor=visit.actor)
    return lead_to(address_of_person(name))


@router.post("/people/sign-out")
def lock_out_person(visit: LeadVisitDep, posted: SubmittedFormDep) -> Response:
    """End all sessions and locked copies of a person, who keeps their passkeys."""
    name = posted.one("name")
    visit.read(get_person, name)
    visit.context.writer.run(lock_person_out, name, actor=visit.actor)
    return lead_to(address_of_person(name))


@router.post("/people/concerns")
def give_concerns(visit: LeadVisitDep, posted: SubmittedFormDep) -> Response:
    name, to, reason = posted.one("name"), posted.one("to"), posted.one("reason").strip()[:MAX_REASON]
    known = to in (NOBODY, *(f"{PERSON}{each}" for each in visit.read(list_workers)))
    faults = ({} if known else {"to": CHOOSE_OTHER}) | ({} if reason else {"reason": REASON_NEEDED})
    if faults:
        return _person_page(visit, name, Typed({"to": to, "reason": reason}, faults))
    other = "" if to == NOBODY else to.removeprefix(PERSON)
    try:
        give_all(visit.context.writer, name, other, reason, actor=visit.actor)
    except SameAssignment:
        return _person_page(visit, name, Typed({"reason": reason}, {"to": CHOOSE_OTHER}))
    return lead_to(address_of_person(name))


@router.post("/people/leaving")
def remove_person_on_page(visit: LeadVisitDep, posted: SubmittedFormDep) -> Response:
    """Ask first. If the person ever had a current key, lead to the page of key holders, which says how to change it."""
    name = posted.one("name")
    if name == visit.visitor.name:
        raise RoleNotYours(name)
    if posted.one("sure") != "yes":
        return _person_page(visit, name, leaves=True)
    visit.read(get_person, name)
    left = remove_person(visit.context.writer, name, actor=visit.actor)
    return lead_to(PEOPLE if set(left.keys).isdisjoint(current_keys(visit)) else HOLDERS)


def _roles(visit: Visit) -> list[tuple[Role, str]]:
    return [(role, ROLE_WORDS[role]) for role in roles_within(visit.visitor.scopes)]


def _role_of(posted: SubmittedForm, visit: Visit) -> Role | None:
    return next((role for role, _words in _roles(visit) if role == posted.one("role")), None)


def _may_change(visit: Visit, row: PersonRow) -> bool:
    is_within = row.role in roles_within(visit.visitor.scopes)
    return visit.visitor.can_lead and row.name != visit.visitor.name and row.provider is None and is_within


def _may_get_link(session: Session, row: PersonRow, visit: Visit) -> bool:
    return _may_change(visit, row) and count_passkeys(session)[row.name] == 0


def _expect_changeable(visit: Visit, name: str) -> None:
    row = visit.read(get_person, name)
    if not _may_change(visit, row):
        raise RoleNotYours(row.role)
