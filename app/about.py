"""The name, version and description of the service, for the documents that it serves."""

from importlib.metadata import version

NAME = "One Minute Guide"
VERSION = version("one-minute-guide")
DESCRIPTION = (
    "A council's safeguarding guidance as versioned, structured data, and structured concerns about children taken in "
    "confidence."
)
