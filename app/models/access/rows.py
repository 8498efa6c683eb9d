"""Base of the tables of clients and of people: their rows grant access."""

from typing import ClassVar

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel


class AccessRow(SQLModel):
    """Base of the rows that grant access. A row counts only with a MAC (`app/services/access/row_signing.py`).

    The MAC's key is on the host, so write access to the database is not enough to grant access.
    """

    unsigned: ClassVar[frozenset[str]] = frozenset({"mac"})
    """The columns that the MAC does not cover, since they grant no access."""
    mac: bytes = Field(default=b"", sa_type=LargeBinary)

    @property
    def is_over(self) -> bool:
        """True if the row no longer grants access and only records that."""
        return False
