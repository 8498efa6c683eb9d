"""The list from which a concern was opened: the way back to it, and on to its next concern."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Self
from urllib.parse import urlencode

from fastapi import Depends, Query, Response

from app.errors import InvalidCursor, InvalidQuery
from app.http.params import Cursor
from app.models.concerns.rows import ConcernRow
from app.pages.desk.inbox import CONCERN_PAGES, LONGEST_QUERY
from app.pages.desk.inbox_filters import OTHER_LIST, InboxSelection, InboxTab, parse_list
from app.pages.desk.inbox_rows import InboxLine, lines_of
from app.pages.frame import DeskRouter, ReaderVisitDep, Visit, lead_to
from app.services.access.sign_in import PATH
from app.services.cursors import decode_position, encode_position
from app.services.desk.inbox import InboxPosition, InboxQuery, position_of, read_inbox, read_next
from app.services.desk.presented_concerns import entry_of
from app.services.desk.saved_views import find_seen_until

router = DeskRouter()
BESIDE = 20
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
        if self.position_in(query, self.at) is not None:
            return self
        return replace(self, at=encode_position(position_of(concern, query)))

    @staticmethod
    def position_in(query: InboxQuery, cursor: str | None) -> InboxPosition | None:
        """Return None if the position is invalid."""
        try:
            return decode_position(cursor, query.column_types)
        except InvalidCursor:
            return None

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

    def address_of(self, reference: str, **more: str) -> str:
        query = urlencode(replace(self, at=None).fields | more)
        return f"{CONCERN_PAGES}/{reference}{'?' if query else ''}{query}"

    @property
    def label(self) -> str:
        label = self.chosen.label
        return {OTHER_LIST: "the filtered list", InboxTab.ALL.label: "the list"}.get(label, f"‘{label}’")


async def read_place(query: ListQuery = "", at: Cursor = None) -> ListPlace:
    return ListPlace.of(query, at)


ListPlaceDep = Annotated[ListPlace, Depends(read_place)]


@router.get("/next")
def lead_to_next(visit: ReaderVisitDep, place: ListPlaceDep) -> Response:
    """After the last, lead to the first page, which says so."""
    first = replace(place, page={})
    ended = f"{first.back}{'&' if first.query else '?'}ended=true"
    return lead_to(find_next(visit, place) or ended)


def find_next(visit: Visit, place: ListPlace, **more: str) -> str | None:
    """Record the look-up, and return the address of the next concern, without the one that was open."""
    query = _query_of(visit, place)
    at = place.position_in(query, place.at)
    found = None if at is None else read_next(visit.context.writer, query, actor=visit.actor, after=at)
    return None if found is None else place.address_of(found, **more)


def read_beside(visit: Visit, place: ListPlace) -> list[InboxLine]:
    """Record and return the first concerns of the list's page, which stand beside the words after an act."""
    query = _query_of(visit, place)
    after = place.position_in(query, place.page.get("cursor"))
    rows = read_inbox(visit.context.writer, query, actor=visit.actor, after=after, limit=BESIDE)
    return lines_of(visit, [entry_of(row._mapping, now=visit.now) for row in rows[:BESIDE]])


def _query_of(visit: Visit, place: ListPlace) -> InboxQuery:
    looked_at = visit.read(find_seen_until, visit.visitor.name)
    return place.chosen.inbox_query(visit.visitor.name, looked_at)
