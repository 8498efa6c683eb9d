"""The catalogue: one row for each item of each guide's current edition, for reads across guides and for search."""

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel


class CatalogueRow(SQLModel, table=True):
    """The place of an item of a current edition, and the words by which it is found.

    The rows are derived from the editions. Those of a guide are rebuilt whenever it has an edition published or
    withdrawn.
    """

    __tablename__ = "catalogue"
    __table_args__ = (UniqueConstraint("part", "guide", "position"),)

    id: int | None = Field(default=None, primary_key=True)
    guide: str = Field(index=True)
    edition: int
    part: str
    item_id: str
    position: int
    codes: str = Field(default="", sa_type=Text)
    words: str = Field(sa_type=Text)
