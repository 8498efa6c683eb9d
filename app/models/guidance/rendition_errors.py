"""Errors of renditions."""

from app.errors import GuidanceError, NotFound, ValidationFailed


class NoSuchRendition(NotFound):
    """The guide exists; it has no such rendition."""


class RenditionWithdrawn(GuidanceError):
    """The rendition was published and has been withdrawn, with a reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidRendition(ValidationFailed):
    """The content of a rendition has faults."""
