"""The pages of the team's key: a person's own passkeys and locked copies, and for leads and auditors all holders.

A locked copy is the team's key file, encrypted so that only one passkey can decrypt it. Only the person's own session
handles the person's copies; but a lead may store the first copy for a passkey, also of a new key.
"""

import datetime as dt
import hashlib
from base64 import b64encode
from urllib.parse import urlencode

from fastapi import Response
from fastapi.responses import JSONResponse
from sqlmodel import Session

from app.age.keys import fingerprint_of
from app.errors import ScopeMissing
from app.http.visitors import SESSION_COOKIE, read_cookie
from app.models.access.clients import Scope
from app.models.access.people import PersonRow
from app.models.access.roles import Role
from app.models.audit.details import SummaryDetails
from app.models.audit.rows import INBOX, DeskAct
from app.models.base import base64url
from app.pages.access.sign_in import SignInRequest
from app.pages.frame import AuditVisitDep, DeskRouter, LeadVisitDep, ReaderVisitDep, Visit, VisitDep, lead_to
from app.pages.posted_forms import SubmittedForm, SubmittedFormDep
from app.services.access.key_copies import (
    PRF_INPUT,
    NewCopy,
    delete_copies,
    list_exposed_keys,
    list_holders,
    list_passkeys,
    may_hold_key,
    read_own_copies,
    store_copy,
)
from app.services.access.people import get_person, invite, remove_passkey
from app.services.access.sign_in import INVITATION, OWN_KEY, PATH
from app.services.audit.audit_log import record_action

router = DeskRouter()
HOLDERS = f"{PATH}/people/keys"
OWN_LINK = dt.timedelta(minutes=30)


@router.get("/key")
def read_own_key(visit: VisitDep) -> Response:
    name = visit.visitor.name
    with Session(visit.context.engine) as session:
        person = session.get(PersonRow, name)
        lines = list_passkeys(session, name, current_keys(visit))
    may_hold = person is not None and may_hold_key(person)
    return visit.page("desk_key.html", lines=lines, may_hold=may_hold, person=name)


@router.get("/key/copies")
def read_copies(visit: ReaderVisitDep) -> Response:
    """Return the person's locked copies as JSON, and record the reading if there are any.

    `prf` is the input from which a passkey derives its secret. Refused unless the session began with a passkey.
    """
    _expect_own_session(visit)
    lines = visit.context.writer.run(read_own_copies, visit.visitor.name, actor=visit.actor)
    copies = [
        {"id": base64url(line.row.credential_id), "sealed": b64encode(line.copy.sealed).decode()}
        for line in lines
        if line.copy is not None
    ]
    return JSONResponse({"prf": base64url(PRF_INPUT), "copies": copies})


@router.get("/key/tab")
def read_secret_of_tab(visit: ReaderVisitDep) -> Response:
    """Return a secret of this session as JSON. With it the browser locks the team's key in the tab.

    Derived with the signing key, so that neither the cookie nor the database gives it. Only for a session.
    """
    token = read_cookie(visit.request, SESSION_COOKIE)
    if token is None:
        raise ScopeMissing(Scope.READ)
    signed = visit.context.signer.sign({"session": token}, kind="key kept in a tab")
    return JSONResponse({"secret": b64encode(hashlib.sha256(signed.encode()).digest()).decode()})


@router.form("/key/copies", lambda _: lead_to(OWN_KEY))
def store_own_copy(visit: ReaderVisitDep, posted: SubmittedFormDep) -> None:
    _store(visit, visit.visitor.name, posted)


@router.form("/key/copies/removal", lambda _: lead_to(OWN_KEY))
def delete_own_copy(visit: VisitDep, posted: SubmittedFormDep) -> None:
    _expect_own_session(visit)
    name, passkey = visit.visitor.name, posted.one("passkey")
    visit.context.writer.run(delete_copies, name, actor=visit.actor, passkey=passkey)


@router.form("/key/passkeys/removal", lambda _: lead_to(OWN_KEY))
def remove_own_passkey(visit: VisitDep, posted: SubmittedFormDep) -> None:
    """Remove one of the person's own passkeys, but not the only one. They must sign in again."""
    _expect_own_session(visit)
    visit.context.writer.run(remove_passkey, visit.visitor.name, posted.one("passkey"), actor=visit.actor)


@router.post("/key/link")
def make_own_link(visit: VisitDep, posted: SubmittedFormDep) -> Response:
    """Require a new signature by one of the person's passkeys: a stolen session cannot make a link."""
    _expect_own_session(visit)
    request, name = SignInRequest.of(visit.request), visit.visitor.name
    if request.passkeys.verify(posted.one("credential"), at=visit.now) != name:
        raise ScopeMissing(Scope.READ)
    role = Role(visit.read(get_person, name).role)
    ends = visit.now + OWN_LINK
    token = invite(visit.context.writer, name, role=role, expires_at=ends, at=visit.now, actor=visit.actor)
    link = f"{request.passkeys.party.origin}{INVITATION}#{token}"
    return visit.page("desk_invited.html", name=name, role="", link=link, ends=ends, is_own=True)


@router.get("/people/keys")
def read_holders(visit: AuditVisitDep) -> Response:
    """Show who may hold the team's key, and who had a current copy but may no longer."""
    current = current_keys(visit)
    visit.context.writer.run(record_action, INBOX, DeskAct.SUMMARY_READ, visit.actor, SummaryDetails(keys=True))
    with Session(visit.context.engine) as session:
        holders = list(list_holders(session, current))
        exposed = list_exposed_keys(session, current)
    return visit.page("desk_keys.html", holders=holders, exposed=exposed, current=current)


@router.post("/people/key")
def give_copy(visit: LeadVisitDep, posted: SubmittedFormDep) -> Response:
    """Store a copy that the lead's browser locked."""
    name = posted.one("name")
    _store(visit, name, posted)
    return lead_to(address_of_person(name))


@router.post("/people/passkey")
def remove_passkey_of_person(visit: LeadVisitDep, posted: SubmittedFormDep) -> Response:
    """Remove a passkey, and end all sessions of its person. A lead's own last one cannot be removed."""
    name = posted.one("name")
    visit.context.writer.run(remove_passkey, name, posted.one("passkey"), actor=visit.actor)
    return lead_to(address_of_person(name))


def current_keys(visit: Visit) -> list[str]:
    """Return the current keys, without the development identity."""
    return [fingerprint_of(each) for each in visit.context.settings.seal_to]


def address_of_person(name: str) -> str:
    return f"{PATH}/people/person?{urlencode({'name': name})}"


def _store(visit: Visit, name: str, posted: SubmittedForm) -> None:
    _expect_own_session(visit)
    copy = NewCopy.read(posted.one("passkey"), posted.one("sealed"), posted.one("keys"))
    visit.context.writer.run(store_copy, name, copy, current_keys(visit), actor=visit.actor)


def _expect_own_session(visit: Visit) -> None:
    """Refuse a client key."""
    if not visit.visitor.has_passkey:
        raise ScopeMissing(Scope.READ)
