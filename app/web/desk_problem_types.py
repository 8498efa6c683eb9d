"""Problem types of the desk's daily work."""

from app.web.problem_type import ProblemType

TOO_MANY_NOTES = ProblemType(
    "too-many-notes",
    409,
    "No more notes about this concern",
    "A concern takes 500 notes, and 5,000,000 bytes of them. This one was not stored.",
)
ASSIGNMENT_CHANGED = ProblemType(
    "assignment-changed",
    412,
    "Somebody assigned it meanwhile",
    "The ETag in If-Match is not that of the assignment as it is now. Nothing was changed. The attempt is on record.",
)
