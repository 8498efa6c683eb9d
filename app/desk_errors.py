"""Errors of the desk's work beyond opening, acknowledging and closing a concern."""

from app.errors import GuidanceError


class NoMessageKey(GuidanceError):
    """The concern is from before messages existed: its reporter's code opens none. Telephone, if a number is known."""


class TooManyMessages(GuidanceError):
    """The reporter of the concern was sent as many messages as one may be sent."""


class TooManyNotes(GuidanceError):
    """The concern has as many notes, or as large ones, as it may have."""


class AssignmentChanged(GuidanceError):
    """Somebody assigned the concern since the caller read its assignment. The message says who has it now."""


class ExportNotGenuine(GuidanceError):
    """The export was not signed by that service, or was changed later."""


class ChangedMeanwhile(GuidanceError):
    """Since the person was shown the concern, something happened that they should see before they decide."""


class DeskRequestFailed(GuidanceError):
    """The service did not do what was requested of it."""

    def __init__(self, message: str = "", problem: str = "") -> None:
        """`problem` is the slug of the type of the problem, such as `draft-changed`."""
        super().__init__(message)
        self.problem = problem


class DeskUnreachable(DeskRequestFailed):
    """The service gave no answer, so it is not known whether it did what was sent."""


class KeysNotKnown(GuidanceError):
    """The service names a key to seal to that nobody named to this program."""


class NoKeyOfBody(GuidanceError):
    """The desk of this machine was given no key of the body that a concern is to be handed over to."""
