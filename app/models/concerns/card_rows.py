"""The table of sealed cards: a short, encrypted summary of each concern and of each addition."""

from sqlalchemy import LargeBinary
from sqlmodel import Field as TableField
from sqlmodel import SQLModel

OF_THE_CONCERN = 0
"""Additions are numbered from 1."""


class CardRow(SQLModel, table=True):
    """A card. `sealed` is for the recipients of the text that it summarises, and null after erasure."""

    __tablename__ = "cards"

    reference: str = TableField(primary_key=True, foreign_key="concerns.reference")
    addition: int = TableField(primary_key=True)
    sealed: bytes | None = TableField(default=None, sa_type=LargeBinary)
