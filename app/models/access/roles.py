"""Roles of the desk: named sets of scopes."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from app.models.access.clients import Scope

NO_ROLE = "no role"
"""Stored in place of a role after the identity provider has withdrawn the person's role."""
SCOPES_OF_PROGRAMS = frozenset({Scope.METRICS})
"""Scopes that only programs need. No page needs these scopes."""


class Role(StrEnum):
    """A person's role at the desk."""

    READER = "reader"
    WORKER = "worker"
    LEAD = "lead"
    AUDITOR = "auditor"
    PUBLISHER = "publisher"
    EDITOR = "editor"


SCOPES_OF: Mapping[Role, frozenset[Scope]] = {
    Role.LEAD: frozenset({Scope.READ, Scope.WRITE, Scope.AUDIT, Scope.METRICS}),
    Role.WORKER: frozenset({Scope.READ, Scope.WRITE}),
    Role.READER: frozenset({Scope.READ}),
    Role.AUDITOR: frozenset({Scope.AUDIT}),
    Role.PUBLISHER: frozenset({Scope.DRAFT, Scope.PUBLISH}),
    Role.EDITOR: frozenset({Scope.DRAFT}),
}
"""The scopes of each role. A role comes before the roles whose scopes it includes.

An auditor reads the audit log but no concern. A lead reads both. An editor writes guides. A publisher also publishes
guides. Editors and publishers cannot see concerns.
"""


def role_with(scopes: Collection[str]) -> Role | None:
    """Return the first role in `SCOPES_OF` that needs no scope beyond `scopes`, or None if there is no such role.

    Scopes that only programs need do not count.
    """
    return next(iter(roles_within(scopes)), None)


def roles_within(scopes: Collection[str]) -> list[Role]:
    """Return the roles that need no scope beyond `scopes`: a person with `scopes` may give these roles to others.

    Scopes that only programs need do not count.
    """
    return [role for role, needed in SCOPES_OF.items() if needed - SCOPES_OF_PROGRAMS <= set(scopes)]


def roles_with(*scopes: Scope) -> list[Role]:
    """Return the roles that have all `scopes`."""
    return [role for role, granted in SCOPES_OF.items() if granted.issuperset(scopes)]
