"""The base class of the tables of clients and people, whose rows grant access."""

from typing import ClassVar

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel


class AccessRow(SQLModel):
    """A row that grants access only if its MAC is valid.

    The key of the MACs is on the host, so write access to the database is not enough to grant access.
    """

    unsigned: ClassVar[frozenset[str]] = frozenset({"mac"})
    """Columns that the MAC does not cover: itself, and those that grant nothing."""
    mac: bytes = Field(default=b"", sa_type=LargeBinary)

    @property
    def is_over(self) -> bool:
        """Return True if the row no longer grants access, and is kept only to record that it has ended."""
        return False
