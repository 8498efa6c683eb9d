"""Problems of what the desk does with a concern beyond acknowledging and closing it."""

from app.web.problem_type import ProblemType

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
