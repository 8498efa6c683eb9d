"""Removal of a person who leaves the desk: their access, their saved views, and the assignment of their concerns."""

from dataclasses import dataclass

from sqlmodel import Session

from app.db.writer import Writer
from app.services.access.key_copies import keys_ever_held
from app.services.access.people import leave
from app.services.audit.audit_log import Actor
from app.services.desk.assignment import unassign_all
from app.services.desk.saved_views import remove_views


@dataclass(frozen=True)
class Removal:
    """The result of removing a person: the names of the revoked clients, and the references of the unassigned concerns.

    `keys` has the fingerprints of the team's keys of which the service ever stored a locked copy for the person. The
    person may still have these keys.
    """

    clients: list[str]
    unassigned: tuple[str, ...]
    keys: list[str]


def remove_person(writer: Writer, name: str, *, actor: Actor) -> Removal:
    """End all access of the person `name`, unassign all their concerns, and remove their saved views.

    Also remove the days on which they wanted to look at concerns again, and the time up to which they have seen the
    inbox. `actor` is the lead or the operator who removes the person. The removal takes several transactions. If only
    some succeed, a repeated call does the rest. Raise `StoreBusy` if one could not be stored in time. Raise
    `NoSuchPerson` if neither the desk nor a client has a person of that name.
    """
    clients = writer.run(leave, name, at=actor.at, actor=actor)
    writer.run(remove_views, name)
    with Session(writer.engine) as session:
        keys = sorted(keys_ever_held(session).get(name, ()))
    return Removal(clients, unassign_all(writer, name, actor=actor), keys)
