"""The tables that hold published guidance. Their rows are written once, in one transaction, and never change.

Items are inserted before their edition's own row, which seals them: from then on the database refuses every insert,
update and delete (see `app.store.immutability`). Hence the deferred foreign keys.
"""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, Column, ForeignKeyConstraint, Text, UniqueConstraint
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTimeType


class GuideRow(SQLModel, table=True):
    """A guide: one subject, through all its editions."""

    __tablename__ = "guides"

    slug: str = Field(primary_key=True)
    first_published_at: dt.datetime = Field(sa_type=UtcDateTimeType)


class EditionRow(SQLModel, table=True):
    """One edition: the whole guide as published at one time."""

    __tablename__ = "editions"

    guide: str = Field(primary_key=True, foreign_key="guides.slug")
    number: int = Field(primary_key=True)
    published_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    digest: str
    title: str = Field(sa_type=Text)
    publisher: dict[str, Any] = Field(sa_type=JSON)
    change_note: str = Field(sa_type=Text)
    review_by: dt.date | None = None
    source: dict[str, Any] | None = Field(sa_type=JSON, nullable=False)  # of a guide never printed: the JSON null
    related_codes: list[dict[str, Any]] = Field(sa_type=JSON)
    introductions: dict[str, Any] = Field(sa_type=JSON)
    owner: str | None = Field(default=None, sa_type=Text)
    applies_to: str | None = Field(default=None, sa_type=Text)
    subjects: list[str] = Field(sa_type=JSON)


class WithdrawalRow(SQLModel, table=True):
    """The withdrawal of an edition. The row of the edition itself does not change."""

    __tablename__ = "withdrawals"
    __table_args__ = (ForeignKeyConstraint(["guide", "edition"], ["editions.guide", "editions.number"]),)

    guide: str = Field(primary_key=True)
    edition: int = Field(primary_key=True)
    withdrawn_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    reason: str = Field(sa_type=Text)


class GenerationRow(SQLModel, table=True):
    """One number that the database raises whenever an edition is published or withdrawn."""

    __tablename__ = "generation"

    id: int = Field(primary_key=True)
    number: int


class ItemRow(SQLModel):
    """The columns that every item has: its edition, its id and its place."""

    guide: str = Field(primary_key=True)
    edition: int = Field(primary_key=True)
    id: str = Field(primary_key=True)
    position: int

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        """Bind each item to its edition, in a place of its own."""
        foreign_key = ForeignKeyConstraint(
            ["guide", "edition"], ["editions.guide", "editions.number"], deferrable=True, initially="DEFERRED"
        )
        return (foreign_key, UniqueConstraint("guide", "edition", "position"))


class CautionRow(ItemRow, table=True):
    """A caution, which goes with every indicator and factor."""

    __tablename__ = "cautions"

    text: str = Field(sa_type=Text)


class DefinitionRow(ItemRow, table=True):
    """A definition of the harm."""

    __tablename__ = "definitions"

    kind: str
    introduction: str | None = Field(default=None, sa_type=Text)
    text: str = Field(sa_type=Text)
    limbs: list[dict[str, Any]] = Field(sa_type=JSON)
    source: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


class FactorRow(ItemRow, table=True):
    """A vulnerability factor."""

    __tablename__ = "factors"

    text: str = Field(sa_type=Text)
    related_codes: list[dict[str, Any]] = Field(sa_type=JSON)


class IndicatorRow(ItemRow, table=True):
    """An indicator to consider."""

    __tablename__ = "indicators"

    text: str = Field(sa_type=Text)
    kind: str
    note: str | None = Field(default=None, sa_type=Text)
    related_codes: list[dict[str, Any]] = Field(sa_type=JSON)


class LinkedRiskRow(ItemRow, table=True):
    """Another harm that is often linked."""

    __tablename__ = "linked_risks"

    text: str = Field(sa_type=Text)
    related_codes: list[dict[str, Any]] = Field(sa_type=JSON)


class ResponsibilityRow(ItemRow, table=True):
    """A responsibility of everybody who works with children."""

    __tablename__ = "responsibilities"

    name: str
    text: str = Field(sa_type=Text)


class ContactRow(ItemRow, table=True):
    """A contact."""

    __tablename__ = "contacts"

    name: str
    kind: str
    phones: list[dict[str, Any]] = Field(sa_type=JSON)
    url: str | None = Field(default=None, sa_type=Text)
    when: str | None = Field(default=None, sa_type=Text)
    verified_on: dt.date | None = None
    email: str | None = Field(default=None, sa_type=Text)
    text_relay: str | None = Field(default=None, sa_type=Text)
    address: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    opening_hours: list[dict[str, Any]] = Field(sa_type=JSON)
