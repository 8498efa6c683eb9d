"""Roles of the desk: names for sets of scopes."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from app.models.access.clients import Scope

NO_ROLE = "no role"
"""In place of the role of a person from whom a provider took it."""
FOR_PROGRAMS = frozenset({Scope.METRICS})
"""The scopes that no page needs."""


class Role(StrEnum):
    """What a person does at the desk."""

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
"""The scopes of each role, those with more first. An auditor reads the record and no concern; a lead reads both.

An editor writes guides and a publisher publishes them too: neither sees a concern.
"""


def role_with(scopes: Collection[str]) -> Role | None:
    """Return the first role of which every scope that pages need is among these, or None."""
    return next((role for role, needed in SCOPES_OF.items() if needed - FOR_PROGRAMS <= set(scopes)), None)
