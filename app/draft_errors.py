"""Errors of writing and publishing drafts of guides."""

from app.errors import GuidanceError, NotFound


class NoSuchGuideDraft(NotFound):
    """The guide has no draft."""


class DraftNotNamed(GuidanceError):
    """The request must say which version of the draft it follows."""


class DraftChanged(GuidanceError):
    """Somebody saved the draft after the caller read it."""


class SecondPersonNeeded(GuidanceError):
    """The caller wrote words of this draft, and somebody else must publish it."""


class FollowsAnotherEdition(GuidanceError):
    """The guide's last edition is not the one that the caller says."""
