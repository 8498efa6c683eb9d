"""The table of sealed cards: a short, encrypted summary of each concern and of each addition."""

from sqlalchemy import LargeBinary
from sqlmodel import Field as TableField
from sqlmodel import SQLModel

OF_THE_CONCERN = 0
"""The value of `addition` in the row of the card of a concern itself. Additions are numbered from 1."""


class CardRow(SQLModel, table=True):
    """The sealed card of a concern, or of one addition to a concern.

    `addition` is the number of the addition, or `OF_THE_CONCERN`. The card is sealed to the same recipients as the text
    that the card summarises. The audit log entry that stores the text has the digest of the card. `sealed` is null
    after erasure.
    """

    __tablename__ = "cards"

    reference: str = TableField(primary_key=True, foreign_key="concerns.reference")
    addition: int = TableField(primary_key=True)
    sealed: bytes | None = TableField(default=None, sa_type=LargeBinary)
