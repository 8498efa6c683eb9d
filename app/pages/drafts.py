"""Pages on which guides are written: their list, a draft as a whole, and the form of one section of it.

A form is saved by its button, and by its script while somebody types.
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from fastapi import Depends, Header, Path, Query, Response, Security
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sqlmodel import Session

from app.errors import DraftChanged, FieldError, InvalidEdition, NoSuchGuideDraft, NotFound, ValidationFailed
from app.http.auth import EditorDep
from app.http.context import SessionDep
from app.http.params import GuidanceRouter, GuideName
from app.http.problems import RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.http.responses import Responses
from app.models.base import MAX_ITEMS, SLUG_PATTERN
from app.models.clients import Scope
from app.models.comparison import changed_fields, changed_sections
from app.models.edition_files import place_in_words, propose_id, read_partly, singular
from app.models.editions import EditionContent, EditionDetails, GuideDraftRow
from app.models.items import IndicatorKind
from app.models.links import guide_path
from app.models.sections import CAUTIONS, ITEM_LISTS, Introductions
from app.pages.desk import DeskRoute, EditorVisitDep, Visit, VisitDep, lead_to
from app.pages.form_answers import COUNT, PLACE, SubmittedForm, SubmittedFormDep, value_at
from app.pages.guides import describe_field_changes, describe_section_changes, edition_values
from app.pages.page import HTML, Site, SiteDep, content_security_policy
from app.pages.text_format import date_and_time
from app.services.checking import CheckedDraft, check_draft
from app.services.drafts import (
    DraftAct,
    DraftContent,
    discard_draft,
    find_guide_draft,
    get_guide_draft,
    is_same_hand,
    list_draft_writers,
    list_guide_drafts,
    offer_draft,
    publish_draft,
    write_guide_draft,
)
from app.services.editions import EditionHead, current_of, find_history
from app.services.guides import list_reviews
from app.services.sign_in import GUIDES_PATH

DETAILS = "details"
"""The name of the page for the fields of the edition itself."""
NOT_TYPED = frozenset({"id", "position"})
"""Members that no editor types: ids are proposed from the words, and positions are the order."""
LONG = frozenset({"text", "note", "change_note", "introduction", "citation", *Introductions.model_fields})
SELDOM = frozenset({"related_codes", "note", "source", "citation", "urn", "gss_code", "introduction", "limbs"})
"""Members that most items do not have: the page shows them on demand."""
FIELD_LABELS: Mapping[str, str] = {
    "text": "Words",
    "url": "Web address",
    "gss_code": "Code of the council's area (GSS)",
    "urn": "Unique reference number of the school",
    "sha256": "SHA-256 of the document",
    "display": "Number as people read it",
    "number": "Number to dial, such as +441632960001",
    "option": "What to press when the call is answered",
    "text_relay": "Text relay",
    "verified_on": "Checked on",
    "review_by": "Review by",
    "owner": "Owner",
    "applies_to": "Applies to",
    "change_note": "Changes in this edition",
    "when": "When to call",
    "related_codes": "Links to code lists",
    "linked_risks": "Before the linked risks",
    "factors": "Before the vulnerability factors",
    "indicators": "Before the indicators",
    "responsibilities": "Before the responsibilities",
    "contacts": "Before the contacts",
}
FIELD_HINTS: Mapping[str, str] = {
    "text": "",
    "name": "",
    "display": "",
    "option": "",
    "url": "Starts with https://.",
    "number": "Without spaces, with +44 for the first 0. A short number such as 999 stays as it is.",
    "when": "In words, such as: In office hours.",
    "verified_on": "When someone last called the number or wrote to the address. Leave blank if nobody has.",
    "opening_hours": "Used to show whether it is open now.",
}
"""What an editor needs to know of a field, where its description is for programs."""
INDICATOR_KIND = "A potential indicator may point to harm. A sign of harm is harm that can be seen."
A_DAY = "For example, 2027-11-24."


class Control(StrEnum):
    """How a value is typed or chosen."""

    LINE = "line"
    WORDS = "words"
    CHOICE = "choice"
    SEVERAL = "several"
    LINES = "lines"
    GROUP = "group"
    LIST = "list"


@dataclass(frozen=True)
class EditField:
    """One field: its key in the content, how it is filled in, and the fields inside it."""

    key: str
    label: str
    hint: str
    control: Control
    is_seldom: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    inner: tuple["EditField", ...] = ()
    entry: str = ""
    """The word for one entry of a list."""


@cache
def fields_of(model: type[BaseModel]) -> tuple[EditField, ...]:
    """Return the fields of a model, those that are seldom filled in last."""
    found = [_field(key, info) for key, info in model.model_fields.items() if key not in NOT_TYPED]
    return tuple(sorted(found, key=lambda each: each.is_seldom))


def form_fields(page: str) -> tuple[EditField, ...]:
    """Return the fields of a page: those of the edition itself, or of one item of the list."""
    return fields_of(EditionDetails if page == DETAILS else ITEM_LISTS[page].item)


def is_foreign(field: EditField, value: Any) -> bool:
    """Return whether the value is of a kind that the field cannot show."""
    expected = {Control.GROUP: dict, Control.LIST: list, Control.SEVERAL: list, Control.LINES: list}.get(field.control)
    return value is not None and expected is not None and not isinstance(value, expected)


def _field(key: str, info: FieldInfo) -> EditField:
    kind = _inside(info.annotation)
    is_several = get_origin(kind) is tuple
    single = get_args(kind)[0] if is_several else kind
    choices = _choices(single)
    inner = fields_of(single) if isinstance(single, type) and issubclass(single, BaseModel) else ()
    if inner:
        control = Control.LIST if is_several else Control.GROUP
    elif choices:
        control = Control.SEVERAL if is_several else Control.CHOICE
    elif is_several:
        control = Control.LINES
    else:
        control = Control.WORDS if key in LONG else Control.LINE
    hint = INDICATOR_KIND if kind is IndicatorKind else FIELD_HINTS.get(key, info.description or "")
    return EditField(
        key,
        FIELD_LABELS.get(key, key.replace("_", " ").capitalize()),
        f"{hint} {A_DAY}".strip() if kind is dt.date else hint,
        control,
        key in SELDOM,
        choices,
        inner,
        entry=singular(key).replace("_", " ") if control is Control.LIST else "",
    )


def _inside(annotation: Any) -> Any:
    """Return the type without `None`."""
    args = [each for each in get_args(annotation) if each is not type(None)]
    return args[0] if type(None) in get_args(annotation) else annotation


def _choices(kind: Any) -> tuple[tuple[str, str], ...]:
    values: list[str] = []
    if get_origin(kind) is Literal:
        values = list(get_args(kind))
    elif isinstance(kind, type) and issubclass(kind, Enum):
        values = [each.value for each in kind]
    return tuple((value, value.replace("_", " ").replace("-", " ").capitalize()) for value in values)


DROP = "drop:"
ID = "id"


def read_members(fields: tuple[EditField, ...], posted: SubmittedForm, name: str, former: Any) -> dict[str, Any]:
    """Return the object that the fields of that name give. `former` is what they were drawn from."""
    before = former if isinstance(former, dict) else {}
    known = {each.key for each in fields}
    dropped = set(posted.many(f"{DROP}{name}"))
    rest = {key: value for key, value in before.items() if key not in known | dropped | NOT_TYPED}
    read = {
        each.key: _read(each, posted, f"{name}.{each.key}" if name else each.key, before.get(each.key))
        for each in fields
    }
    return {key: value for key, value in read.items() if value not in (None, "", [], {})} | rest


def read_entries(fields: tuple[EditField, ...], posted: SubmittedForm, name: str, former: Any) -> list[Any]:
    """Return the entries of the list of that name. One that was no object stays, unless a field of it is filled in."""
    before = former if isinstance(former, list) else []
    entries: list[Any] = []
    for place in range(min(posted.count(name), MAX_ITEMS)):
        entry_name = f"{name}.{place}"
        id_ = posted.one(f"{entry_name}.{ID}")
        drawn_from = _former_entry(before, place, id_)
        read = read_members(fields, posted, entry_name, drawn_from)
        is_foreign = drawn_from is not None and not isinstance(drawn_from, dict)
        entries.append(drawn_from if is_foreign and not read else ({ID: id_} if id_ else {}) | read)
    return entries


def settle_ids(entries: list[Any], former: Any, published: Collection[str]) -> None:
    """Give every item an id. One that was proposed from its words, and is not published, follows them."""
    before = former if isinstance(former, list) else []
    chosen = {
        each[ID]
        for each in before
        if isinstance(each, dict) and isinstance(each.get(ID), str) and not _was_proposed(each)
    }
    items = [each for each in entries if isinstance(each, dict)]
    kept: dict[str, int] = {}
    for place, item in enumerate(items):
        id_ = item.get(ID, "")
        if id_ in published or (id_ in chosen and re.fullmatch(SLUG_PATTERN, id_)):
            kept.setdefault(id_, place)
    taken = set(kept)
    for place, item in enumerate(items):
        if kept.get(item.get(ID, "")) != place:
            item[ID] = propose_id(_words(item), taken)
            taken.add(item[ID])


def _former_entry(before: list[Any], place: int, id_: str) -> Any:
    """Return the former entry of that id, the one at the place first; without an id, what has none at the place."""
    at_place = before[place : place + 1]
    if not id_:
        return next((each for each in at_place if not (isinstance(each, dict) and ID in each)), None)
    return next((each for each in at_place + before if isinstance(each, dict) and each.get(ID) == id_), None)


def _was_proposed(item: dict[str, Any]) -> bool:
    proposed = propose_id(_words(item))
    return bool(item[ID] == proposed or item[ID].rpartition("-")[0] == proposed)


def _words(item: dict[str, Any]) -> str:
    words = item.get("name") or item.get("text") or ""
    return words if isinstance(words, str) else ""


def _read(field: EditField, posted: SubmittedForm, name: str, former: Any) -> Any:
    """Return the value of the field. What the form could not show stays until something is filled in instead."""
    if field.control is Control.LIST and f"{COUNT}{name}" not in posted.fields:
        return former
    read = _read_typed(field, posted, name, former)
    return former if not read and is_foreign(field, former) else read


def _read_typed(field: EditField, posted: SubmittedForm, name: str, former: Any) -> Any:
    match field.control:
        case Control.GROUP:
            return read_members(field.inner, posted, name, former)
        case Control.LIST:
            return read_entries(field.inner, posted, name, former)
        case Control.SEVERAL:
            return posted.many(name)
        case Control.LINES:
            return posted.lines(name)
        case Control.WORDS:
            typed = posted.one(name)
            return typed if typed.strip() else ""
    return posted.one(name).strip()


EDIT_PAGES: dict[str, str] = {DETAILS: "About the guide"} | {
    key: "Cautions" if key == "cautions" else entry.title for key, entry in ITEM_LISTS.items()
}
"""The pages of a draft by their names, each with its heading."""
NOT_BEGUN = "none"
"""The tag of a section where there is no draft."""


def section_value(content: DraftContent, page: str) -> Any:
    """Return what the page shows of the content: the members that are no list of items, or one such list."""
    if page == DETAILS:
        return {key: value for key, value in content.items() if key not in ITEM_LISTS}
    return content.get(page)


def section_tag(content: DraftContent | None, page: str) -> str:
    """Return what identifies the words of the page, as they are saved now."""
    if content is None:
        return NOT_BEGUN
    text = json.dumps(section_value(content, page), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def with_section(content: DraftContent, page: str, posted: SubmittedForm) -> DraftContent:
    """Return the content with what was posted in place of what the page shows."""
    fields, former = form_fields(page), section_value(content, page)
    if page == DETAILS:
        lists = {key: value for key, value in content.items() if key in ITEM_LISTS}
        return read_members(fields, posted, "", former) | lists
    entries: Any = read_entries(fields, posted, page, former) or (former if not isinstance(former, list) else None)
    rest = {key: value for key, value in content.items() if key != page}
    return rest if entries is None else rest | {page: entries}


def with_ids(content: DraftContent, page: str, former: DraftContent, published_ids: Collection[str]) -> DraftContent:
    """Return the content with an id for every item of the page."""
    if page in ITEM_LISTS and isinstance(content.get(page), list):
        settle_ids(content[page], former.get(page), published_ids)
    return content


def do_act(content: DraftContent, act: str) -> str:
    """Add, move or remove an entry of a list, and return the name of the entry to show then. Ignore an unknown act.

    An act names its entry or its list: `up:contacts.1`, `down:...`, `remove:...`, `add:contacts.0.phones`.
    """
    verb, _, name = act.partition(":")
    if not name:
        return ""
    if verb == "add":
        entries = _list_at(content, name, makes_it=True)
        if entries is None or len(entries) >= MAX_ITEMS:
            return ""
        entries.append({})
        return f"{name}.{len(entries) - 1}"
    list_name, _, step = name.rpartition(".")
    entries, place = _list_at(content, list_name), int(step) if PLACE.fullmatch(step) else -1
    if entries is None or not 0 <= place < len(entries):
        return ""
    entry = entries.pop(place)
    if verb != "remove":
        place = max(0, place - 1) if verb == "up" else place + 1 if verb == "down" else place
        entries.insert(place, entry)
    return f"{list_name}.{min(place, len(entries) - 1)}"


def _list_at(content: DraftContent, name: str, *, makes_it: bool = False) -> list[Any] | None:
    """Return the list of that name, made where it is absent, or None if there can be none."""
    parent_name, _, own_name = name.rpartition(".")
    parent = value_at(content, parent_name) if parent_name else content
    if not isinstance(parent, dict) or not own_name:
        return None
    found = parent.setdefault(own_name, []) if makes_it else parent.get(own_name)
    return found if isinstance(found, list) else None


@dataclass(frozen=True)
class ShownField:
    """A field with its value. Its name is its place in the content: `contacts.0.phones.1.number`."""

    field: EditField
    name: str
    text: str = ""
    chosen: tuple[str, ...] = ()
    members: tuple["ShownField", ...] = ()
    entries: tuple["ShownEntry", ...] = ()
    foreign: str = ""
    """As JSON: a value of a kind that the field cannot show."""

    @property
    def owner(self) -> str:
        """The entry that has the field, as an editor counts it: `contact 1`. Empty where the guide itself has it."""
        steps = self.name.split(".")
        counted = [place + 1 for place, step in enumerate(steps) if step.isdecimal()]
        at = tuple(int(step) if step.isdecimal() else step for step in steps[: counted[-1] if counted else 0])
        return place_in_words(at).lower() if at else ""

    @property
    def is_filled(self) -> bool:
        """Whether there is anything to see."""
        own = self.text or self.chosen or self.entries or self.foreign
        return bool(own) or any(each.is_filled for each in self.members)


@dataclass(frozen=True)
class ShownEntry:
    """An entry of a list. `unknown` has what no field shows: each key, with its value as JSON."""

    name: str
    id: str
    fields: tuple[ShownField, ...]
    unknown: tuple[tuple[str, str], ...]


def show_entries(fields: tuple[EditField, ...], name: str, value: Any) -> tuple[ShownEntry, ...]:
    """Return the entries of a list. One that is no object is shown as unknown."""
    entries = value if isinstance(value, list) else []
    return tuple(_entry(fields, f"{name}.{place}", each) for place, each in enumerate(entries))


def show_fields(fields: tuple[EditField, ...], name: str, value: Any) -> tuple[ShownField, ...]:
    """Return the fields of an object. `name` is that of the object, empty for the content itself."""
    members = value if isinstance(value, dict) else {}
    return tuple(_show(each, f"{name}.{each.key}" if name else each.key, members.get(each.key)) for each in fields)


def unknown_members(fields: tuple[EditField, ...], value: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the members that no field shows, each with its value as JSON."""
    known = {each.key for each in fields} | NOT_TYPED
    return tuple((key, _to_json(member)) for key, member in value.items() if key not in known)


def _entry(fields: tuple[EditField, ...], name: str, value: Any) -> ShownEntry:
    if not isinstance(value, dict):
        return ShownEntry(name, "", show_fields(fields, name, {}), (("", _to_json(value)),))
    id_ = value.get(ID)
    shown = show_fields(fields, name, value)
    return ShownEntry(name, id_ if isinstance(id_, str) else "", shown, unknown_members(fields, value))


def _show(field: EditField, name: str, value: Any) -> ShownField:
    if is_foreign(field, value):
        return replace(_show(field, name, None), foreign=_to_json(value))
    match field.control:
        case Control.GROUP:
            return ShownField(field, name, members=show_fields(field.inner, name, value))
        case Control.LIST:
            return ShownField(field, name, entries=show_entries(field.inner, name, value))
        case Control.SEVERAL:
            return ShownField(field, name, chosen=tuple(map(_plain, value or ())))
        case Control.LINES:
            return ShownField(field, name, text="\n".join(map(_plain, value or ())))
    return ShownField(field, name, text=_plain(value))


def _plain(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return _to_json(value)


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


router = GuidanceRouter(prefix=GUIDES_PATH, include_in_schema=False, route_class=DeskRoute)

NO_TITLE = "Enter the title of the new guide"
TAKEN = "There is already a guide or draft with this name: {}. Open it in the list, or choose another title"
MAX_TITLE = 200
AGREED = "yes"
AUTOSAVE = "autosave"
SAID_ANEW = "change_note"
POSITION = "position"
BACKTICKED = re.compile("`([^`]+)`")
"""A key or an example in a sentence of the check."""


@dataclass(frozen=True)
class Remark:
    """What the check says, with the page and the name of the field that it is about."""

    words: str
    page: str
    name: str


@dataclass(frozen=True)
class Editing(Visit):
    """A visit of an editor to the draft of a guide, which may not be begun."""

    session: Session
    guide: str

    @property
    def path(self) -> str:
        """The path of the draft's page."""
        return f"{GUIDES_PATH}/{self.guide}"

    def check(self, draft: GuideDraftRow) -> CheckedDraft:
        """Check the whole draft."""
        return check_draft(self.session, draft, self.context.reference_data, today=self.now.date())

    def find_current(self) -> EditionContent | None:
        """Return the content of the current edition."""
        current = current_of(find_history(self.session, guide=self.guide))
        return self.context.contents(current.key, self.session) if current is not None else None

    def first_words(self) -> DraftContent:
        """Return the words of the current edition without its change note; of a new guide, its title and publisher."""
        current = self.find_current()
        if current is None:
            publisher = {"name": self.context.settings.council_name}
            return {"title": self.guide.replace("-", " ").capitalize(), "publisher": publisher}
        words = _filled(current.model_dump(mode="json"))
        return {name: value for name, value in words.items() if name != SAID_ANEW}

    def begin(self, words: DraftContent) -> Response:
        """Begin the draft with these words, and lead to it. One that another person began meanwhile stays."""

        def begun(draft: GuideDraftRow | None) -> DraftContent:
            return words if draft is None else draft.read()

        self.context.writer.run(write_guide_draft, self.guide, begun, by=self.actor.client, at=self.now)
        return lead_to(self.path)

    def act(self, posted: SubmittedForm) -> DraftAct:
        """Return the act on the draft, if it is still the version that the page showed."""

        def check(draft: GuideDraftRow) -> None:
            if posted.one("version") != str(draft.version):
                raise DraftChanged

        return DraftAct(self.guide, self.actor.client, self.now, check)


async def read_editing(visit: VisitDep, session: SessionDep, guide: GuideName) -> Editing:
    """Return the visit to the draft of the guide in the path."""
    return Editing(**vars(visit), session=session, guide=guide)


EditingDep = Annotated[Editing, Security(read_editing, scopes=[Scope.DRAFT])]
PublishingDep = Annotated[Editing, Security(read_editing, scopes=[Scope.PUBLISH])]


@router.get("")
def read_guides_to_edit(
    session: SessionDep, visit: EditorVisitDep, fault: Annotated[str, Query(max_length=80)] = ""
) -> Response:
    """Return the drafts, and every guide with the day of its review."""
    drafts = list_guide_drafts(session)
    return visit.page(
        "desk_edit_guides.html",
        drafts=[(each, _title_of(each)) for each in drafts],
        drafted={each.guide for each in drafts},
        reviews=[(each, each.is_due(visit.now.date())) for each in list_reviews(session)],
        faults={"title": TAKEN.format(fault) if fault != "none" else NO_TITLE} if fault else {},
    )


@router.post("/new")
def begin_new_guide(session: SessionDep, visit: EditorVisitDep, posted: SubmittedFormDep) -> Response:
    """Begin the draft of a guide that is not published yet, by its title."""
    title = posted.one("title").strip()[:MAX_TITLE]
    guide = propose_id(title)
    if not title:
        return lead_to(f"{GUIDES_PATH}?fault=none")
    if find_guide_draft(session, guide) is not None or find_history(session, guide=guide):
        return lead_to(f"{GUIDES_PATH}?fault={guide}")
    editing = Editing(**vars(visit), session=session, guide=guide)
    return editing.begin(editing.first_words() | {"title": title})


@router.post("/{guide}/begin")
def begin_draft(editing: EditingDep) -> Response:
    """Begin a draft from the words of the current edition. Where there is one, open it."""
    return editing.begin(editing.first_words())


def _title_of(draft: GuideDraftRow) -> str:
    """Return the title of the draft, or the name of its guide."""
    title = draft.read().get("title")
    return title if isinstance(title, str) and title.strip() else draft.guide


@router.get("/{guide}")
def read_draft_page(editing: EditingDep) -> Response:
    """Return the draft with what is left to do."""
    draft = get_guide_draft(editing.session, editing.guide)
    checked, writers = editing.check(draft), list_draft_writers(editing.session, editing.guide)
    faults = [*map(_remark, checked.faults)]
    return editing.page(
        "desk_edit_draft.html",
        draft=draft,
        title=_title_of(draft),
        pages=EDIT_PAGES,
        counts={page: len(found) for page, found in draft.read().items() if isinstance(found, list)},
        to_do={page: sum(each.page == page for each in faults) for page in EDIT_PAGES},
        remarks=faults,
        warnings=[*map(_remark, checked.warnings)],
        follows=checked.follows,
        writers=writers,
        wrote_it=any(is_same_hand(editing.actor.client, each) for each in writers),
        **_beside_current(draft, checked),
    )


@router.post("/{guide}/offer")
def offer_on_page(editing: EditingDep, posted: SubmittedFormDep) -> Response:
    """Ask for the publication of the draft as the page showed it. One with faults stays as it is."""
    try:
        editing.context.writer.run(offer_draft, editing.context.reference_data, editing.act(posted))
    except InvalidEdition:
        return lead_to(f"{editing.path}#to-do")
    return lead_to(editing.path)


@router.post("/{guide}/publication")
def publish_on_page(editing: PublishingDep, posted: SubmittedFormDep) -> Response:
    """Publish the draft as the page showed it, after the edition that it showed."""
    if posted.one("agreed") != AGREED:
        return lead_to(f"{editing.path}#publish")
    follows = int(posted.one("follows")) if PLACE.fullmatch(posted.one("follows")) else None
    context = editing.context
    two_people = context.settings.two_people_publish
    try:
        published = context.writer.run(
            publish_draft, context.reference_data, editing.act(posted), follows=follows, two_people=two_people
        )
    except InvalidEdition:
        return lead_to(f"{editing.path}#to-do")
    return editing.page("desk_edit_published.html", key=published.key, digest=published.digest)


@router.post("/{guide}/removal")
def remove_on_page(editing: EditingDep, posted: SubmittedFormDep) -> Response:
    """Delete the draft as the page showed it."""
    if posted.one("agreed") != AGREED:
        return lead_to(f"{editing.path}#remove")
    editing.context.writer.run(discard_draft, editing.act(posted))
    return lead_to(GUIDES_PATH)


async def get_page(page: Annotated[str, Path(max_length=40)]) -> str:
    """Return the name of a page of a draft. Raises `NotFound`."""
    if page not in EDIT_PAGES:
        raise NotFound
    return page


EditPage = Annotated[str, Depends(get_page)]


@router.get("/{guide}/sections/{page}")
def read_section_page(editing: EditingDep, page: EditPage) -> Response:
    """Return the form of the section as it is saved now."""
    return _section_page(editing, page, get_guide_draft(editing.session, editing.guide))


@router.post("/{guide}/sections/{page}")
def save_section_page(
    editing: EditingDep,
    page: EditPage,
    posted: SubmittedFormDep,
    if_match: Annotated[str | None, Header(max_length=100)] = None,
) -> Response:
    """Save what was typed. Where somebody saved other words meanwhile, show both, and lose none."""
    shown, act = (if_match or posted.one("shown")).strip('"'), posted.one("act")
    is_autosave = act == AUTOSAVE
    try:
        draft, entry = _save(editing, page, posted, shown, "" if is_autosave else act)
    except DraftChanged:
        if is_autosave:
            return JSONResponse({}, DraftChanged.status)
        return _section_page(editing, page, find_guide_draft(editing.session, editing.guide), posted)
    if not is_autosave:
        return lead_to(f"{editing.path}/sections/{page}#{entry or 'saved'}")
    body = {  # what the page's script needs
        "shown": section_tag(draft.read(), page),
        "saved": date_and_time(draft.written_at),
        "faults": [each.words for each in _remarks_on(page, editing.check(draft))],
    }
    return JSONResponse(body)


def _save(editing: Editing, page: str, posted: SubmittedForm, shown: str, act: str) -> tuple[GuideDraftRow, str]:
    """Save what was posted, and do what the button says. Return the draft, and the entry that the button was about.

    `shown` is the tag of the section as the page was drawn. Raises `DraftChanged` where somebody saved other words of
    this section since. What others did to other sections of the draft stays.
    """
    ids = frozenset(item.id for item in getattr(editing.find_current(), page, ()))  # published, so they stay
    beginning = editing.first_words() if shown == NOT_BEGUN else {}  # a draft that is there refuses other tags
    entries: list[str] = []

    def change(draft: GuideDraftRow | None) -> DraftContent:
        former = draft.read() if draft is not None else None
        if section_tag(former, page) != shown and not (act == "" and _is_saved(former, page, posted, ids)):
            raise DraftChanged
        content = with_section(former if former is not None else beginning, page, posted)
        entries.append(do_act(content, act))
        return with_ids(content, page, former or {}, ids)

    writer, by = editing.context.writer, editing.actor.client
    return writer.run(write_guide_draft, editing.guide, change, by=by, at=editing.now), entries[-1]


def _is_saved(former: DraftContent | None, page: str, posted: SubmittedForm, ids: Collection[str]) -> bool:
    """Return whether these words are saved already: the answer was lost, and the page sends them again."""
    if former is None:
        return False
    again = with_ids(with_section(former, page, posted), page, former, ids)
    return section_tag(again, page) == section_tag(former, page)


def _section_page(
    editing: Editing, page: str, draft: GuideDraftRow | None, mine: SubmittedForm | None = None
) -> Response:
    """Return the form; with `mine`, of those words, beside the ones that are saved now."""
    saved = draft.read() if draft is not None else None
    content = saved if saved is not None else editing.first_words()
    typed = content if mine is None else with_section(content, page, mine)
    checked = editing.check(draft) if draft is not None else None
    return editing.page(
        "desk_edit_section.html",
        status=200 if mine is None else DraftChanged.status,
        guide=editing.guide,
        page=page,
        pages=EDIT_PAGES,
        draft=draft,
        shown=section_tag(saved, page),
        is_list=page != DETAILS,
        words=singular(page).replace("_", " "),
        remarks=_remarks_on(page, checked),
        is_conflict=mine is not None,
        theirs=_form(saved, page) if mine is not None and saved is not None else None,
        **_beside_current(draft, checked),
        **_form(typed, page),
    )


def _remarks_on(page: str, checked: CheckedDraft | None) -> list[Remark]:
    """Return what must be corrected on the page."""
    return [each for each in map(_remark, checked.faults if checked else ()) if each.page == page]


def _beside_current(draft: GuideDraftRow | None, checked: CheckedDraft | None) -> dict[str, Any]:
    """Return the current edition, and what the draft changes of it: by page, and the pages that are not read whole."""
    if draft is None or checked is None:
        return {"current": None, "comparison": None}
    head, current = current_of(checked.published.history), checked.published.current
    if current is None:
        return {"current": head, "comparison": None}
    after, unread = read_partly(draft.read(), current)
    by_heading = describe_section_changes(changed_sections(current, after))
    changes = {key: by_heading[entry.heading] for key, entry in ITEM_LISTS.items() if entry.heading in by_heading}
    fields = describe_field_changes(changed_fields(current, after))
    pages = frozenset(name if name in ITEM_LISTS else DETAILS for name in unread if name != SAID_ANEW)
    comparison = {"changes": ({DETAILS: fields} if fields else {}) | changes, "unread": pages}
    return {"current": head, "comparison": comparison}


def _form(content: dict[str, Any], page: str) -> dict[str, Any]:
    """Return the fields of the page, or its entries, and the names of everything that can be linked to."""
    fields, value = form_fields(page), section_value(content, page)
    if page == DETAILS:
        shown = show_fields(fields, "", value)
        own = ShownEntry("", "", shown, unknown_members(fields, value))
        return {"entries": (own,), "names": _names(own)}
    entries = show_entries(fields, page, value)
    return {"entries": entries, "names": set().union(*map(_names, entries))}


def _names(entry: ShownEntry) -> set[str]:
    inner = [each for shown in entry.fields for each in (shown, *shown.members)]
    below = [_names(each) for shown in inner for each in shown.entries]
    return {entry.name}.union((each.name for each in inner), *below)


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        members = {name: _filled(member) for name, member in value.items() if name != POSITION}
        return {name: member for name, member in members.items() if member not in (None, "", [], {})}
    return [_filled(member) for member in value] if isinstance(value, list) else value


def _remark(fault: FieldError) -> Remark:
    words = BACKTICKED.sub(_label, fault.detail.replace("the file", "the guide"))
    page = str(fault.at[0]) if fault.at and fault.at[0] in ITEM_LISTS else DETAILS
    return Remark(words[:1].upper() + words[1:], page, ".".join(map(str, fault.at)))


def _label(found: re.Match[str]) -> str:
    """Return a key as the form names it; anything else between quotes."""
    heading = CAUTIONS.heading if found[1] == CAUTIONS.path else found[1]
    return f"‘{FIELD_LABELS.get(found[1], heading)}’"


preview_router = GuidanceRouter(tags=["Drafts"], responses=RESPONSES_OF_CLIENT_ROUTES)

PAGE_EXAMPLE = "<!doctype html><title>DRAFT: ‘One Minute Guide’ to an example</title>"
PREVIEW_EXAMPLE: Responses = {200: {"content": {"text/html": {"schema": {"type": "string"}, "example": PAGE_EXAMPLE}}}}


@preview_router.get(
    "/v1/guides/{guide}/draft/preview",
    summary="Preview a draft",
    operation_id="preview_draft",
    response_class=HTMLResponse,
    responses=PREVIEW_EXAMPLE | problem_responses(NoSuchGuideDraft, ValidationFailed),
)
def preview_draft(session: SessionDep, site: SiteDep, _actor: EditorDep, guide: GuideName) -> Response:
    """Show the page as it would be published, marked as a draft. An invalid draft returns its errors instead."""
    return _preview(site, session, guide)


@router.get("/{guide}/preview")
def preview_on_page(editing: EditingDep) -> Response:
    """Return the page of the draft, or lead to what keeps it from having one."""
    try:
        return _preview(editing, editing.session, editing.guide)
    except InvalidEdition:
        return lead_to(f"{editing.path}#to-do")


def _preview(site: Site, session: Session, guide: str) -> Response:
    draft = get_guide_draft(session, guide)
    checked = check_draft(session, draft, site.context.reference_data, today=site.now.date())
    if checked.content is None or checked.digest is None:
        raise InvalidEdition(checked.faults)
    content, number = checked.content, checked.published.next_number
    head = EditionHead(guide, number, site.now, checked.digest, content.title, content.change_note, None, None)
    page = site.html(
        "desk_edit_preview.html",
        **edition_values(head, content, []),
        who=site.context.reference_data.who_to_call(content),
        status="",
        shows_number=True,
        tables=(),
        api=guide_path(guide),
        pdf_available=False,
        renditions=(),
    )
    headers = {
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex",
        "Content-Security-Policy": content_security_policy(site.context.settings),
    }
    return Response(page, media_type=HTML, headers=headers)
