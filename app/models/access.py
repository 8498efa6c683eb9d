"""What the tables of clients and of people have in common: a row of them lets somebody in."""

from typing import ClassVar

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel


class AccessRow(SQLModel):
    """A row that lets somebody in. It counts only with a MAC under a key of the machine (`app/services/access.py`).

    So whoever can write the database, and nothing else, lets nobody in.
    """

    unsigned: ClassVar[frozenset[str]] = frozenset({"mac"})
    """The columns that the MAC does not cover, since they let nobody in."""
    mac: bytes = Field(default=b"", sa_type=LargeBinary)

    @property
    def is_over(self) -> bool:
        """Whether the row lets nobody in any more, and only says so."""
        return False
