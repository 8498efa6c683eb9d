"""What the inbox page is narrowed to: a choice that is a press away, and filters that are put together."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query
from pydantic import ValidationError

from app.errors import InvalidQuery
from app.models.base import SLUG_PATTERN
from app.models.concerns.concern import ImmediateDanger
from app.models.concerns.tables import ConcernState
from app.models.desk.views import ViewFilters
from app.pages.form.form_view import faults_of
from app.store.inbox import InboxFilters, InboxOrder, InboxQuery


class InboxFilter(StrEnum):
    """What the inbox shows, each a press away."""

    ALL = "all"
    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    OVERDUE = "overdue"
    DANGER = "danger"
    MINE = "mine"
    UNASSIGNED = "unassigned"
    CHANGED = "changed"
    TESTS = "tests"


FILTER_LABELS = {
    InboxFilter.ALL: "All",
    InboxFilter.RECEIVED: "Not acknowledged",
    InboxFilter.ACKNOWLEDGED: "Acknowledged",
    InboxFilter.CLOSED: "Closed",
    InboxFilter.OVERDUE: "Overdue",
    InboxFilter.DANGER: "In danger now",
    InboxFilter.MINE: "Mine",
    InboxFilter.UNASSIGNED: "Nobody’s",
    InboxFilter.CHANGED: "Changed since I looked",
    InboxFilter.TESTS: "Tests",
}
SAME_AS: Mapping[InboxFilter, dict[str, object]] = {
    InboxFilter.RECEIVED: {"state": ConcernState.RECEIVED},
    InboxFilter.ACKNOWLEDGED: {"state": ConcernState.ACKNOWLEDGED},
    InboxFilter.CLOSED: {"state": ConcernState.CLOSED},
    InboxFilter.OVERDUE: {"overdue": True},
    InboxFilter.MINE: {"mine": True},
    InboxFilter.UNASSIGNED: {"unassigned": True},
}
"""The choices that filters say too. The others are a choice alone."""
ME, NOBODY, PERSON = "me", "nobody", "person:"
OVERDUE, NOT_OVERDUE = "true", "false"
Nothing = Literal[""]


@dataclass(frozen=True)
class Chosen:
    """The choice and the filters, as one."""

    show: InboxFilter
    view: ViewFilters

    @property
    def who(self) -> str:
        """The value of the field that says which people."""
        of_person = f"{PERSON}{self.view.assigned_to}" if self.view.assigned_to is not None else ""
        return ME if self.view.mine else NOBODY if self.view.unassigned else of_person

    @property
    def query(self) -> str:
        """The query of the page's address."""
        shown = {} if self.show in SAME_AS or self.show is InboxFilter.ALL else {"show": self.show.value}
        overdue = {True: OVERDUE, False: NOT_OVERDUE, None: ""}[self.view.overdue]
        fields = {
            "state": self.view.state,
            "overdue": overdue,
            "danger": self.view.danger,
            "guide": self.view.guide,
            "who": self.who,
        }
        return urlencode(shown | {name: value for name, value in fields.items() if value})

    @property
    def is_narrowed(self) -> bool:
        """Whether filters are put together beyond what one press shows."""
        pressed = ViewFilters.model_validate(SAME_AS.get(self.show, {}))
        return self.view != pressed

    def inbox_query(self, me: str, looked_at: dt.datetime | None) -> InboxQuery:
        """Return the query of the store, for that person, who last looked at that time."""
        view, is_changed = self.view, self.show is InboxFilter.CHANGED
        filters = InboxFilters(
            state=view.state,
            overdue=view.overdue,
            danger=view.danger,
            guide=view.guide,
            assigned_to=me if view.mine else "" if view.unassigned else view.assigned_to,
            changed_since=looked_at if is_changed else None,
            waits_in_danger=self.show is InboxFilter.DANGER,
        )
        order = InboxOrder.CHANGED if is_changed else InboxOrder.URGENT
        return InboxQuery(order, filters, test=self.show is InboxFilter.TESTS)


def chosen_of(show: InboxFilter, fields: dict[str, object]) -> Chosen:
    """Return the choice with filters beside it, each in place of what the choice says. Raises `InvalidQuery`."""
    pressed = SAME_AS.get(show, {})
    if fields.keys() & {"mine", "unassigned", "assigned_to"}:
        pressed = {name: value for name, value in pressed.items() if name not in ("mine", "unassigned")}
    try:
        return Chosen(show, ViewFilters.model_validate(pressed | fields, strict=False))
    except ValidationError as error:
        raise InvalidQuery(faults_of(error)) from None


async def read_chosen(
    *,
    show: Annotated[InboxFilter, Query()] = InboxFilter.ALL,
    state: Annotated[ConcernState | Nothing, Query()] = "",
    overdue: Annotated[Literal["", "true", "false"], Query()] = "",
    danger: Annotated[ImmediateDanger | Nothing, Query()] = "",
    guide: Annotated[str, Query(max_length=80, pattern=f"^$|{SLUG_PATTERN}")] = "",
    who: Annotated[str, Query(max_length=110, pattern=f"^$|^{ME}$|^{NOBODY}$|^{PERSON}.+$")] = "",
) -> Chosen:
    """Return what the query of the page says. An empty value is no filter."""
    return chosen_of(show, filters_in({"state": state, "overdue": overdue, "danger": danger, "guide": guide}, who))


ChosenDep = Annotated[Chosen, Depends(read_chosen)]


def filters_in(fields: dict[str, str], who: str) -> dict[str, object]:
    """Return the filters that the fields of the page say, without those that are empty."""
    found: dict[str, object] = {name: value for name, value in fields.items() if value}
    if "overdue" in found:
        found["overdue"] = found["overdue"] == OVERDUE
    if who in (ME, NOBODY):
        found["mine" if who == ME else "unassigned"] = True
    elif who:
        found["assigned_to"] = who.removeprefix(PERSON)
    return found
