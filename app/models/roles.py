"""Roles of the desk: names for sets of scopes."""

from collections.abc import Mapping
from enum import StrEnum

from app.models.clients import Scope


class Role(StrEnum):
    """What a person does at the desk."""

    READER = "reader"
    WORKER = "worker"
    LEAD = "lead"
    AUDITOR = "auditor"


SCOPES_OF: Mapping[Role, frozenset[Scope]] = {
    Role.READER: frozenset({Scope.READ}),
    Role.WORKER: frozenset({Scope.READ, Scope.WRITE}),
    Role.LEAD: frozenset({Scope.READ, Scope.WRITE, Scope.AUDIT, Scope.METRICS}),
    Role.AUDITOR: frozenset({Scope.AUDIT}),
}
"""The scopes of each role. An auditor reads the record and no concern; a lead reads both."""
