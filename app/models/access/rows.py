"""The base class of the tables of clients and people, whose rows grant access."""

from typing import ClassVar

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel


class AccessRow(SQLModel):
    """Base class of rows that grant access. A row grants access only if its MAC is valid.

    `app/services/access/row_signing.py` makes and checks the MACs. The key of the MACs is on the host, not in the
    database, so write access to the database is not enough to grant access.
    """

    unsigned: ClassVar[frozenset[str]] = frozenset({"mac"})
    """Columns that the MAC does not cover: the MAC itself, and columns that do not grant access."""
    mac: bytes = Field(default=b"", sa_type=LargeBinary)

    @property
    def is_over(self) -> bool:
        """True if the row no longer grants access, and is kept only to record that it has ended."""
        return False
