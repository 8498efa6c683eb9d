"""The list from which a concern was opened: the way back to it, and on to its next concern."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Self
from urllib.parse import urlencode

from fastapi import Depends, Query, Response
from sqlmodel import Session

from app.errors import InvalidCursor, InvalidQuery
from app.http.params import Cursor
from app.models.concerns.rows import ConcernRow
from app.pages.desk.inbox import CONCERN_PAGES, LONGEST_QUERY
from app.pages.desk.inbox_filters import OTHER_LIST, InboxSelection, InboxTab, parse_list
from app.pages.frame import DeskRouter, ReaderVisitDep, lead_to
from app.services.access.sign_in import PATH
from app.services.cursors import decode_position, encode_position
from app.services.desk.inbox import InboxPosition, position_of, read_next
from app.services.desk.saved_views import find_seen_until

router = DeskRouter()
ListQuery = Annotated[str, Query(alias="list", max_length=LONGEST_QUERY)]


@dataclass(frozen=True)
class ListPlace:
    """`at` is the concern's position when it was opened, as a cursor."""

    chosen: InboxSelection = field(default_factory=InboxSelection)
    page: Mapping[str, str] = field(default_factory=dict)
    at: str | None = None

    @classmethod
    def of(cls, query: str, at: str | None) -> Self:
        """An invalid query gives the whole inbox."""
        try:
            chosen, page = parse_list(query)
        except InvalidQuery:
            return cls()
        return cls(chosen, page, at)

    def seen_from(self, concern: ConcernRow) -> Self:
        """Set the concern's position, unless it has one."""
        query = self.chosen.inbox_query("", None)
        if self._position(query.column_types) is not None:
            return self
        return replace(self, at=encode_position(position_of(concern, query)))

    def _position(self, types: tuple[type, ...]) -> InboxPosition | None:
        try:
            return decode_position(self.at, types)
        except InvalidCursor:
            return None

    @property
    def position(self) -> InboxPosition | None:
        """None if invalid."""
        return self._position(self.chosen.inbox_query("", None).column_types)

    @cached_property
    def query(self) -> str:
        return "&".join(filter(None, (self.chosen.query, urlencode(self.page))))

    @property
    def fields(self) -> dict[str, str]:
        return {name: value for name, value in (("list", self.query), ("at", self.at or "")) if value}

    @property
    def suffix(self) -> str:
        return f"?{urlencode(self.fields)}" if self.fields else ""

    @property
    def back(self) -> str:
        return f"{PATH}?{self.query}" if self.query else PATH

    @property
    def next(self) -> str:
        return f"{PATH}/next{self.suffix}"

    @property
    def label(self) -> str:
        label = self.chosen.label
        return {OTHER_LIST: "the filtered list", InboxTab.ALL.label: "the list"}.get(label, f"‘{label}’")


async def read_place(query: ListQuery = "", at: Cursor = None) -> ListPlace:
    return ListPlace.of(query, at)


ListPlaceDep = Annotated[ListPlace, Depends(read_place)]


@router.get("/next")
def lead_to_next(visit: ReaderVisitDep, place: ListPlaceDep) -> Response:
    """Record the look-up, and skip the concern that was open. After the last, lead to the first page, which says so."""
    if place.position is not None:
        with Session(visit.context.engine) as session:
            looked_at = find_seen_until(session, visit.visitor.name)
        query = place.chosen.inbox_query(visit.visitor.name, looked_at)
        found = read_next(visit.context.writer, query, actor=visit.actor, after=place.position)
        if found is not None:
            return lead_to(f"{CONCERN_PAGES}/{found}{replace(place, at=None).suffix}")
    first = replace(place, page={})
    return lead_to(f"{first.back}{'&' if first.query else '?'}ended=true")
