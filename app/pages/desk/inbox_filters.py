"""The filters of the inbox page, all of them in its address."""

import datetime as dt
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Query
from pydantic import BaseModel, ValidationError, model_validator

from app.errors import InvalidQuery
from app.models.concerns.receipts import ConcernState
from app.models.desk.inbox_filters import InboxOrder
from app.models.desk.saved_views import ViewFilters
from app.pages.posted_forms import faults_of
from app.services.access.sign_in import PATH
from app.services.desk.inbox import InboxQuery

ME, NOBODY, PERSON = "me", "nobody", "person:"
TRUE_OR_FALSE = {"true": True, "false": False}
TESTS = "yes"
"""Value of `tests` that shows only test concerns."""
PAGE_FIELDS = ("cursor", "until")
NO_FILTERS = ViewFilters()
OWNERS = {ME: "Mine", NOBODY: "Nobody’s"}
OTHER_LIST = "filtered"
FORMER_TABS = {"mine": {"who": ME}, "unassigned": {"who": NOBODY}, "tests": {"tests": TESTS}}
"""Filters of tabs that no longer exist: old addresses still work."""


class InboxTab(StrEnum):
    """A tab with `is_counted` shows how many open concerns it has."""

    label: str
    state: ConcernState | None
    is_counted: bool

    RECEIVED = "received", "Waiting", ConcernState.RECEIVED
    ALL = "all", "All"
    DANGER = "danger", "In danger now"
    OVERDUE = "overdue", "Overdue"
    ACKNOWLEDGED = "acknowledged", "Acknowledged", ConcernState.ACKNOWLEDGED
    CHANGED = "changed", "New since I last looked", None, False
    CLOSED = "closed", "Closed", ConcernState.CLOSED, False

    def __new__(cls, value: str, label: str, state: ConcernState | None = None, is_counted: bool = True) -> "InboxTab":
        member = str.__new__(cls, value)
        member._value_, member.label, member.state, member.is_counted = value, label, state, is_counted
        return member


@dataclass(frozen=True)
class InboxSelection:
    """`show` is the tab. `tests` shows only test concerns, or none. `order` is None for the tab's usual order."""

    show: InboxTab = InboxTab.ALL
    view: ViewFilters = NO_FILTERS
    tests: bool = False
    order: InboxOrder | None = None

    @property
    def who(self) -> str:
        """Return `me`, `nobody`, `person:` with a name, or empty."""
        of_person = f"{PERSON}{self.view.assigned_to}" if self.view.assigned_to is not None else ""
        return ME if self.view.mine else NOBODY if self.view.unassigned else of_person

    @property
    def shows_due_concerns(self) -> bool:
        """True for all open concerns, or the person's own, without filters: concerns to look at again are shown too."""
        return replace(self, order=None) in (InboxSelection(), MINE)

    @property
    def query(self) -> str:
        """Return the filters as a query string, without defaults."""
        fields = {
            "show": self.show.value if self.show is not InboxTab.ALL else "",
            "who": self.who,
            "tests": TESTS if self.tests else "",
            "danger": self.view.danger,
            "guide": self.view.guide,
            "burst": self.view.burst,
            "channel": self.view.channel,
            "overdue": "false" if self.view.overdue is False else "",
            "order": self.order.value if self.order else "",
        }
        return urlencode({name: value for name, value in fields.items() if value})

    @property
    def address(self) -> str:
        return f"{PATH}?{self.query}" if self.query else PATH

    @property
    def is_narrowed(self) -> bool:
        view = self.view
        others = (view.danger, view.guide, view.burst, view.channel, view.assigned_to, view.overdue)
        return any(each is not None for each in others)

    @property
    def label(self) -> str:
        """Return the name of the only choice (tab, owner or tests). Otherwise return `OTHER_LIST`."""
        names = [OWNERS[self.who]] if self.who in OWNERS else []
        names += [self.show.label] * (self.show is not InboxTab.ALL) + ["Tests"] * self.tests
        return OTHER_LIST if self.is_narrowed or len(names) > 1 else next(iter(names), InboxTab.ALL.label)

    @property
    def order_shown(self) -> InboxOrder:
        return self.order or (InboxOrder.CHANGED if self.show is InboxTab.CHANGED else InboxOrder.URGENT)

    def inbox_query(self, me: str, looked_at: dt.datetime | None) -> InboxQuery:
        """`looked_at` is the time up to which the person has seen changes."""
        overdue = True if self.show is InboxTab.OVERDUE else self.view.overdue
        chosen = self.view.model_copy(update={"state": self.show.state, "overdue": overdue})
        return InboxQuery.of(
            self.order_shown,
            chosen,
            me=me,
            test=self.tests,
            changed_since=looked_at if self.show is InboxTab.CHANGED else None,
            waits_in_danger=self.show is InboxTab.DANGER,
            is_open=self.show is InboxTab.ALL,
        )


MINE = InboxSelection(view=ViewFilters(mine=True))


class TypedFilters(BaseModel):
    """Filters as typed. `choose` validates all but `show` and `order`. `state` is a former `show`."""

    show: InboxTab = InboxTab.ALL
    who: str = ""
    tests: str = ""
    danger: str = ""
    guide: str = ""
    burst: str = ""
    channel: str = ""
    overdue: str = ""
    state: str = ""
    order: InboxOrder | None = None

    @model_validator(mode="before")
    @classmethod
    def _translate_former(cls, typed: dict[str, Any]) -> dict[str, Any]:
        fields = {name: value for name, value in typed.items() if value not in ("", None)}
        former = FORMER_TABS.get(str(fields.get("show", "")))
        if former is not None:
            fields = {name: value for name, value in fields.items() if name != "show"} | former
        if fields.get("overdue") == "true":
            fields = {"show": InboxTab.OVERDUE.value} | {each: fields[each] for each in fields if each != "overdue"}
        if "state" in fields:
            fields = {each: fields[each] for each in fields if each != "state"} | {"show": fields["state"]}
        return fields


def choose(typed: TypedFilters) -> InboxSelection:
    names = ("danger", "guide", "burst", "channel", "overdue")
    fields: dict[str, Any] = {name: value for name in names if (value := getattr(typed, name))}
    if "overdue" in fields:
        fields["overdue"] = TRUE_OR_FALSE.get(fields["overdue"], fields["overdue"])
    try:
        view = ViewFilters.model_validate(fields | _people_of(typed.who))
    except ValidationError as error:
        raise InvalidQuery(faults_of(error)) from None
    return InboxSelection(typed.show, view, typed.tests == TESTS, typed.order)


def _people_of(who: str) -> dict[str, Any]:
    if not who:
        return {}
    if who in (ME, NOBODY):
        return {"mine": who == ME, "unassigned": who == NOBODY}
    return {"assigned_to": who.removeprefix(PERSON) if who.startswith(PERSON) else ""}  # an empty name is refused


def parse_list(query: str) -> tuple[InboxSelection, dict[str, str]]:
    """Return the filters in a query, and those of its `PAGE_FIELDS` that it has. Raise `InvalidQuery`."""
    fields = dict(parse_qsl(query))
    try:
        typed = TypedFilters.model_validate(fields)
    except ValidationError as error:
        raise InvalidQuery(faults_of(error)) from None
    return choose(typed), {name: fields[name] for name in PAGE_FIELDS if fields.get(name)}


async def read_selection(typed: Annotated[TypedFilters, Query()]) -> InboxSelection:
    return choose(typed)


SelectionDep = Annotated[InboxSelection, Depends(read_selection)]
