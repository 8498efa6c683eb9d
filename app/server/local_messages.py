"""What the desk on a worker's own machine says where there is no page of the service to show."""

import httpx

from app.errors import (
    GuidanceError,
    KeysNotKnown,
    NoKeyOfBody,
    NoMessageKey,
    SealedTextMisplaced,
    UnsealingUnavailable,
    ValidationFailed,
)

IN_CLEAR_STATUS, NOT_ALLOWED, UNPROCESSABLE, BAD_GATEWAY = 400, 403, 422, 502
NOT_OPENED = (
    "Open the desk by its own address",
    "The command that serves it prints the address, which works once. Start the command again for a new one.",
)
CLOSED = ("The desk is closed", "Start the command again to come back. It is safe to close this page.")
NO_ANSWER = ("The service does not answer", "Nothing was done. Try again in a minute, or tell the operator.")
ANSWER_LOST = (
    "The service did not answer in time",
    "It may have done what you sent, or not. Look at the concern before you send it again.",
)
KEY_REFUSED = (
    "The service does not accept this key",
    "It is unknown, has ended, or names no person. Ask the operator for a key of your own, with your name.",
)
NOT_A_PAGE = ("This is not shown here", "Open the desk of the service itself for it.")
NOT_THERE = ("There is no page here", "Go back to the desk.")
FAULT_HERE = (
    "Something went wrong on this machine",
    "Look at the concern before you send anything again. Tell the operator.",
)
BUSY = ("The service is not available just now", "Nothing was done. Try again in a minute, or tell the operator.")
STATUS_TEXTS = {
    401: KEY_REFUSED,
    403: ("Your key does not allow this", "Nothing was done. Ask the person who leads the desk, if you need to do it."),
    404: ("The service has nothing there", "Nothing was done. Check the reference for a mistake."),
    409: (
        "Something else came first",
        "Nothing of yours was done. Look at the concern as it is now, and decide again.",
    ),
    410: ("The words were erased", "The dates and the outcome of this concern remain."),
    429: ("The service had too many requests", "Nothing was done. Try again in a minute."),
    503: BUSY,
}
MAY_BE_DONE = (500, 502, 504)
"""The statuses after which what was sent may be done all the same."""
HAND_OVER_REFUSALS: dict[type[GuidanceError], tuple[str, str]] = {
    NoKeyOfBody: (
        "This desk does not have the key of that body",
        "Nothing was done. Start it again with --bodies, or use the command guidance desk hand-over.",
    ),
    UnsealingUnavailable: (
        "Your identity does not open all of it",
        "Nothing was done. Start this desk with the identity that it was sealed to.",
    ),
    SealedTextMisplaced: (
        "A text of this concern is not the one that belongs here",
        "Nothing was done. Tell the operator.",
    ),
}
NOT_FETCHED = "The concern could not be fetched"
WORDS_REFUSALS: dict[type[GuidanceError], tuple[str, str]] = {
    ValidationFailed: (
        "This cannot be sent as it is",
        "Nothing was sent. Put right what is marked, and send it again.",
    ),
    KeysNotKnown: (
        "The service names a key that this desk does not know",
        "Nothing was sent, since each key that a note is sealed to opens it. Ask the person who leads the desk which "
        "keys are right, and start this desk again with them, by --seal-to.",
    ),
    NoMessageKey: (
        "The reporter cannot be sent a question",
        "The service gave no key of the reporter. Nothing was sent.",
    ),
}
IN_CLEAR = (
    "This would send words in clear",
    "Nothing was sent. The form is not one that this desk knows: tell the person who leads the desk.",
)


def words_of_status(answer: httpx.Response, method: str) -> tuple[str, str]:
    """Return heading and sentence for an answer of the service that is no page of the desk."""
    if answer.status_code in MAY_BE_DONE and method == "POST":
        return ANSWER_LOST
    if answer.is_server_error:
        return BUSY
    return STATUS_TEXTS.get(answer.status_code, NOT_A_PAGE)
