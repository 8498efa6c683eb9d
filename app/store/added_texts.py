"""The rows of the texts that are added to concerns: additions, and the notes of the desk."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlmodel import Session

from app.errors import NoSuchItem
from app.models.concerns.tables import AddedRow, AdditionRow, NoteRow
from app.models.desk.added_texts import AddedKind
from app.store.tables import table_of

SEALED_COLUMN = "sealed"


@dataclass(frozen=True)
class AddedTexts:
    """The rows of one kind, numbered for each concern in the order of arrival."""

    kind: AddedKind
    row: type[AddedRow]

    @cached_property
    def metadata(self) -> Select[Any]:
        """Every column without the sealed text, which may be large, but with its size in bytes."""
        size = func.coalesce(func.length(self._columns.sealed), 0).label("size")
        return select(*(column for column in self._columns if column.name != SEALED_COLUMN), size)

    def measure(self, session: Session, reference: str) -> tuple[int, int]:
        """Return how many texts the concern has, and how many bytes they have together, sealed."""
        measured = select(func.count(), func.coalesce(func.sum(func.length(self._columns.sealed)), 0))
        count, size = session.connection().execute(measured.where(self._columns.reference == reference)).one()
        return count, int(size)

    def list(self, session: Session, reference: str, *, after: int = 0, limit: int | None = None) -> Sequence[Row[Any]]:
        """Return the metadata of the texts after that number, in the order of arrival."""
        listed = self.metadata.where(self._columns.reference == reference, self._columns.number > after)
        return session.connection().execute(listed.order_by(self._columns.number).limit(limit)).all()

    def read(self, session: Session, reference: str, number: int) -> bytes | None:
        """Return one sealed text; None if it was erased. Raises `NoSuchItem` if it does not exist."""
        one = select(self._columns.sealed).where(self._columns.reference == reference, self._columns.number == number)
        found = session.connection().execute(one).one_or_none()
        if found is None:
            raise NoSuchItem(f"The concern has no {self.kind} of that number.")
        sealed: bytes | None = found.sealed
        return sealed

    @property
    def _columns(self) -> ReadOnlyColumnCollection[str, Any]:
        return table_of(self.row).c


ADDITIONS = AddedTexts(AddedKind.ADDITION, AdditionRow)
NOTES = AddedTexts(AddedKind.NOTE, NoteRow)
ALL_ADDED = {texts.kind: texts for texts in (ADDITIONS, NOTES)}
