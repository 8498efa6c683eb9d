"""What the tables of clients and of people have in common: a row of them lets somebody in."""

from typing import ClassVar

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel


class AccessRow(SQLModel):
    """Base of the rows that grant access. A row counts only with a MAC (`app/services/access/row_signing.py`).

    The key of the MAC is on the machine, so a person who can only write the database grants nobody access.
    """

    unsigned: ClassVar[frozenset[str]] = frozenset({"mac"})
    """The columns that the MAC does not cover, since they let nobody in."""
    mac: bytes = Field(default=b"", sa_type=LargeBinary)

    @property
    def is_over(self) -> bool:
        """Whether the row lets nobody in any more, and only says so."""
        return False
