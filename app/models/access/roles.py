"""Roles of the desk: named sets of scopes."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from app.models.access.clients import Scope

NO_ROLE = "no role"
SCOPES_OF_PROGRAMS = frozenset({Scope.METRICS})


class Role(StrEnum):
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
"""A role comes before the roles whose scopes it includes. An auditor reads the audit log but no concern."""


def role_with(scopes: Collection[str]) -> Role | None:
    """Return the first role in `SCOPES_OF` that needs no scope beyond `scopes`, apart from those of programs."""
    return next(iter(roles_within(scopes)), None)


def roles_within(scopes: Collection[str]) -> list[Role]:
    """Return the roles that a person with `scopes` may give: those that need no other, apart from those of programs."""
    return [role for role, needed in SCOPES_OF.items() if needed - SCOPES_OF_PROGRAMS <= set(scopes)]


def roles_with(*scopes: Scope) -> list[Role]:
    return [role for role, granted in SCOPES_OF.items() if granted.issuperset(scopes)]
