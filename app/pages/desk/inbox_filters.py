"""The filters of the inbox page, such as state, owner, and tests or not. The address of the page has all filters."""

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
"""The value of the parameter `tests` with which the inbox lists only tests."""
PAGE_FIELDS = ("cursor", "until")
"""The query parameters of the inbox that identify one page of the list."""
NO_FILTERS = ViewFilters()
FORMER_TABS = {"mine": {"who": ME}, "unassigned": {"who": NOBODY}, "tests": {"tests": TESTS}}
"""Former values of the parameter `show`, with the present parameters for the same list. Old addresses still work."""


class InboxTab(StrEnum):
    """A tab of the inbox: all open concerns, or a selection such as the overdue concerns.

    `label` is the text of the tab. `state` is the state of the tab's concerns, or None if the tab can have concerns in
    several states. If `is_counted` is True, the page shows the number of open concerns beside the label.
    """

    label: str
    state: ConcernState | None
    is_counted: bool

    ALL = "all", "All open"
    RECEIVED = "received", "Not acknowledged", ConcernState.RECEIVED
    DANGER = "danger", "In danger now"
    OVERDUE = "overdue", "Overdue"
    ACKNOWLEDGED = "acknowledged", "Acknowledged", ConcernState.ACKNOWLEDGED
    CHANGED = "changed", "New since I last looked", None, False
    CLOSED = "closed", "Closed", ConcernState.CLOSED, False

    def __new__(cls, value: str, label: str, state: ConcernState | None = None, is_counted: bool = True) -> "InboxTab":
        """Create the tab with the value `value`, and set the attributes `label`, `state` and `is_counted`."""
        member = str.__new__(cls, value)
        member._value_, member.label, member.state, member.is_counted = value, label, state, is_counted
        return member


@dataclass(frozen=True)
class InboxSelection:
    """The chosen filters of the inbox: the tab `show`, and the other filters in `view`.

    If `tests` is True, the inbox lists only tests, otherwise no tests. `order` is the order that the person chose, or
    None for the usual order of the tab.
    """

    show: InboxTab = InboxTab.ALL
    view: ViewFilters = NO_FILTERS
    tests: bool = False
    order: InboxOrder | None = None

    @property
    def who(self) -> str:
        """The value of the parameter `who`: `me`, `nobody`, `person:` with a name, or empty for everyone."""
        of_person = f"{PERSON}{self.view.assigned_to}" if self.view.assigned_to is not None else ""
        return ME if self.view.mine else NOBODY if self.view.unassigned else of_person

    @property
    def shows_due_concerns(self) -> bool:
        """True if this is the list of all open concerns, or of the person's own open concerns, without further filters.

        The page of these two lists also shows the concerns that are due to be looked at again.
        """
        return replace(self, order=None) in (InboxSelection(), InboxSelection(view=ViewFilters(mine=True)))

    @property
    def query(self) -> str:
        """The query string of the page that shows this selection. Default values are left out."""
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
        """The path and query of the page that shows this selection."""
        return f"{PATH}?{self.query}" if self.query else PATH

    @property
    def is_narrowed(self) -> bool:
        """True if one of these filters is set: danger, guide, burst, channel, a named person, or overdue.

        A burst is a group of many concerns from one source on one day.
        """
        view = self.view
        others = (view.danger, view.guide, view.burst, view.channel, view.assigned_to, view.overdue)
        return any(each is not None for each in others)

    def with_tab(self, show: InboxTab) -> "InboxSelection":
        """Return this selection with the tab `show`, in the usual order of that tab."""
        return replace(self, show=show, order=None)

    def with_owner(self, who: str) -> "InboxSelection":
        """Return this selection with the owner `who`: `me`, `nobody`, or empty for everyone."""
        people = {"assigned_to": None, "mine": who == ME, "unassigned": who == NOBODY}
        return replace(self, view=self.view.model_copy(update=people))

    def with_tests(self, tests: bool) -> "InboxSelection":
        """Return this selection with only tests if `tests` is True, otherwise without tests."""
        return replace(self, tests=tests)

    def with_order(self, order: InboxOrder) -> "InboxSelection":
        """Return this selection in the order `order`."""
        return replace(self, order=order)

    @property
    def order_shown(self) -> InboxOrder:
        """The order of the page: the chosen order, or the usual order of the tab."""
        return self.order or (InboxOrder.CHANGED if self.show is InboxTab.CHANGED else InboxOrder.URGENT)

    def inbox_query(self, me: str, looked_at: dt.datetime | None) -> InboxQuery:
        """Return the database query for this selection.

        `me` is the name of the signed-in person. `looked_at` is the time up to which they have seen changes, or None.
        """
        overdue = True if self.show is InboxTab.OVERDUE else self.view.overdue
        wanted = self.view.model_copy(update={"state": self.show.state, "overdue": overdue})
        return InboxQuery.of(
            self.order_shown,
            wanted,
            me=me,
            test=self.tests,
            changed_since=looked_at if self.show is InboxTab.CHANGED else None,
            waits_in_danger=self.show is InboxTab.DANGER,
            is_open=self.show is InboxTab.ALL,
        )


class TypedFilters(BaseModel):
    """The query parameters of the inbox page as typed. This model validates only `show` and `order`.

    `choose` validates the other filters. `who` is `me`, `nobody`, or `person:` with a name. If `tests` is `yes`, the
    inbox lists only tests. Any other value lists no tests. `state` is a former parameter with a value of `show`. An
    empty parameter filters nothing.
    """

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
        """Translate former parameters, such as `show=mine` and `state=received`, into the present parameters."""
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
    """Return the selection that the parameters `typed` describe. Raise `InvalidQuery` if a filter is not valid."""
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
    """Return the selection in `query`, the query string of an inbox page, and the parameters that identify the page.

    Only parameters in `PAGE_FIELDS` identify the page. Raise `InvalidQuery` if a filter is not valid.
    """
    fields = dict(parse_qsl(query))
    try:
        typed = TypedFilters.model_validate(fields)
    except ValidationError as error:
        raise InvalidQuery(faults_of(error)) from None
    return choose(typed), {name: fields[name] for name in PAGE_FIELDS if fields.get(name)}


async def read_selection(typed: Annotated[TypedFilters, Query()]) -> InboxSelection:
    """Return the selection from the query parameters, as a FastAPI dependency.

    Raise `InvalidQuery` if a filter is not valid.
    """
    return choose(typed)


SelectionDep = Annotated[InboxSelection, Depends(read_selection)]
