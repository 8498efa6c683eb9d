"""Removal of a person who leaves the desk: their access, their saved views, and the assignment of their concerns."""

from dataclasses import dataclass

from sqlmodel import Session

from app.db.writer import Writer
from app.services.access.key_copies import keys_ever_held
from app.services.access.people import remove_person_access
from app.services.audit.audit_log import Actor
from app.services.desk.assignment import unassign_all
from app.services.desk.saved_views import remove_views


@dataclass(frozen=True)
class Removal:
    """What a removal did: revoked clients, unassigned concerns, and `keys` that the person may still have."""

    clients: list[str]
    unassigned: tuple[str, ...]
    keys: list[str]


def remove_person(writer: Writer, name: str, *, actor: Actor) -> Removal:
    """End all access, unassign concerns, and remove views, days and marks.

    It takes several transactions, and a repeat does the rest. Raise `StoreBusy`, or `NoSuchPerson` if neither desk nor
    client has the name.
    """
    clients = writer.run(remove_person_access, name, at=actor.at, actor=actor)
    writer.run(remove_views, name)
    with Session(writer.engine) as session:
        keys = sorted(keys_ever_held(session).get(name, ()))
    return Removal(clients, unassign_all(writer, name, actor=actor), keys)
