"""Who works on a concern, as the desk sees it."""

from app.models.desk.assignment import AssignmentResponse, AssignmentState
from app.models.links import assignment_path, desk_concern_path
from app.services.desk.assignment import Assigned


def assignment_response(reference: str, now: Assigned, replaced: Assigned | None = None) -> AssignmentResponse:
    """Return who has the concern and, after a change, what the change replaced."""
    return AssignmentResponse(
        reference=reference,
        assigned_to=now.person,
        at=now.at,
        by=now.by,
        replaced=None if replaced is None else _state(replaced),
        links={"self": assignment_path(reference), "concern": desk_concern_path(reference)},
    )


def assignment_etag(version: int) -> str:
    """Return the ETag of that version of an assignment."""
    return f'"assignment-{version}"'


def _state(assigned: Assigned) -> AssignmentState:
    return AssignmentState(assigned_to=assigned.person, at=assigned.at, by=assigned.by)
