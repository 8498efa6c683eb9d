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
NO_MESSAGE_KEY = ProblemType(
    "no-message-key",
    409,
    "The reporter cannot be sent a message",
    "The concern is from before messages existed: the code of its reporter opens none. Nothing was stored.",
)
TOO_MANY_MESSAGES = ProblemType(
    "too-many-messages",
    429,
    "Too many messages",
    "The reporter of a concern is sent 100 messages at most. This one was not stored.",
)
