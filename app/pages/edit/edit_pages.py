"""Pages on which guides are written: their list, a draft as a whole, and the form of one section of it.

A form is saved by its button, and by its script while somebody types.
"""

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Response
from fastapi.responses import JSONResponse
from sqlmodel import Session

from app.errors import DraftChanged, InvalidEdition, NotFound
from app.faults import FieldError
from app.models.guidance.comparison import changed_fields, changed_sections
from app.models.guidance.editions import EditionContent
from app.models.guidance.editor_words import singular
from app.models.guidance.guide_tables import GuideDraftRow
from app.models.guidance.proposed_ids import propose_id
from app.models.guidance.sections import CAUTIONS, ITEM_LISTS
from app.models.guidance.written_editions import read_partly
from app.pages.desk.page import DeskRoute, desk_page, lead_to
from app.pages.edit.fields import DETAILS, FIELD_LABELS, form_fields
from app.pages.edit.sections import EDIT_PAGES, NOT_BEGUN, do_act, section_tag, section_value, with_ids, with_section
from app.pages.edit.shown import ShownEntry, show_entries, show_fields, unknown_members
from app.pages.form_answers import PLACE, SubmittedForm, SubmittedFormDep
from app.pages.guide.changed_words import TextChange, describe_field_changes, describe_section_changes
from app.pages.text_format import date_and_time
from app.routers.params import GuideName
from app.services.access.sign_in import GUIDES_PATH
from app.services.guidance.checking import CheckedDraft, check_draft
from app.services.guidance.guide_drafts import (
    DraftAct,
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
from app.services.guidance.reviews import list_reviews
from app.store.editions import current_of, find_history
from app.web.context import AppContext, ContextDep, NowDep, SessionDep
from app.web.people import PageEditorDep, PagePublisherDep, Visitor
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=GUIDES_PATH, include_in_schema=False, route_class=DeskRoute)

NO_TITLE = "Write the title of the new guide"
TAKEN = "There is a guide, or a draft, of that name: {}. Open it in the list, or choose another title"
MAX_TITLE = 200
AGREED = "yes"
AUTOSAVE = "autosave"
SAID_ANEW = "change_note"
POSITION = "position"
BACKTICKED = re.compile("`([^`]+)`")
"""A key or an example in a sentence of the check."""


@dataclass(frozen=True)
class DraftComparison:
    """The changes by the name of their page, and the pages that have faults and are not compared whole."""

    changes: dict[str, list[TextChange]]
    unread: frozenset[str]


@dataclass(frozen=True)
class Remark:
    """What the check says, with the page and the name of the field that it is about."""

    words: str
    page: str
    name: str


@router.get("")
def read_guides_to_edit(
    *,
    context: ContextDep,
    session: SessionDep,
    visitor: PageEditorDep,
    now: NowDep,
    fault: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Return the drafts, and every guide with the day of its review."""
    drafts = list_guide_drafts(session)
    drafted = {each.guide for each in drafts}
    return desk_page(
        context,
        "desk_edit_guides.html",
        visitor=visitor,
        drafts=[(each, _title_of(each)) for each in drafts],
        drafted=drafted,
        reviews=[(each, each.is_due(now.date())) for each in list_reviews(session)],
        faults={"title": TAKEN.format(fault) if fault != "none" else NO_TITLE} if fault else {},
    )


@router.post("/new")
def begin_new_guide(
    *, context: ContextDep, session: SessionDep, visitor: PageEditorDep, now: NowDep, posted: SubmittedFormDep
) -> Response:
    """Begin the draft of a guide that is not published yet, by its title."""
    title = posted.one("title").strip()[:MAX_TITLE]
    guide = propose_id(title)
    if not title:
        return lead_to(f"{GUIDES_PATH}?fault=none")
    if find_guide_draft(session, guide) is not None or find_history(session, guide=guide):
        return lead_to(f"{GUIDES_PATH}?fault={guide}")
    words = _first_words(context, session, guide) | {"title": title}
    return _begin(context, guide, words, visitor.actor.client, now)


@router.post("/{guide}/begin")
def begin_draft(
    *, context: ContextDep, session: SessionDep, visitor: PageEditorDep, now: NowDep, guide: GuideName
) -> Response:
    """Begin a draft from the words of the current edition. Where there is one, open it."""
    return _begin(context, guide, _first_words(context, session, guide), visitor.actor.client, now)


def _title_of(draft: GuideDraftRow) -> str:
    """Return the title of the draft, or the name of its guide."""
    title = draft.read().get("title")
    return title if isinstance(title, str) and title.strip() else draft.guide


def _begin(context: AppContext, guide: str, words: dict[str, object], by: str, now: dt.datetime) -> Response:
    write_guide_draft(context.writer, guide, partial(_words_or_draft, words), by=by, at=now)
    return lead_to(f"{GUIDES_PATH}/{guide}")


def _words_or_draft(words: dict[str, object], draft: GuideDraftRow | None) -> dict[str, object]:
    """Return the first words of a draft, or the draft that another person began meanwhile."""
    return words if draft is None else draft.read()


@router.get("/{guide}")
def read_draft_page(
    context: ContextDep, session: SessionDep, visitor: PageEditorDep, now: NowDep, guide: GuideName
) -> Response:
    """Return the draft with what is left to do."""
    draft = get_guide_draft(session, guide)
    checked = check_draft(session, draft, context.reference_data, today=now.date())
    current, writers = checked.published.current, list_draft_writers(session, guide)
    content, faults = draft.read(), [*map(_remark, checked.faults)]
    return desk_page(
        context,
        "desk_edit_draft.html",
        visitor=visitor,
        draft=draft,
        title=_title_of(draft),
        pages=EDIT_PAGES,
        counts={page: len(found) for page, found in content.items() if isinstance(found, list)},
        to_do={page: sum(each.page == page for each in faults) for page in EDIT_PAGES},
        remarks=faults,
        warnings=[*map(_remark, checked.warnings)],
        comparison=_compare_with(draft, current) if current is not None else None,
        current=current_of(checked.published.history),
        follows=checked.follows,
        writers=writers,
        wrote_it=any(is_same_hand(visitor.actor.client, each) for each in writers),
    )


@router.post("/{guide}/offer")
def offer_on_page(
    *, context: ContextDep, visitor: PageEditorDep, now: NowDep, guide: GuideName, posted: SubmittedFormDep
) -> Response:
    """Ask for the publication of the draft as the page showed it. One with faults stays as it is."""
    try:
        offer_draft(context.writer, context.reference_data, _act(guide, posted, visitor, now))
    except InvalidEdition:
        return lead_to(f"{GUIDES_PATH}/{guide}#to-do")
    return lead_to(f"{GUIDES_PATH}/{guide}")


@router.post("/{guide}/publication")
def publish_on_page(
    *,
    context: ContextDep,
    visitor: PagePublisherDep,
    now: NowDep,
    guide: GuideName,
    posted: SubmittedFormDep,
) -> Response:
    """Publish the draft as the page showed it, after the edition that it showed."""
    if posted.one("agreed") != AGREED:
        return lead_to(f"{GUIDES_PATH}/{guide}#publish")
    follows = posted.one("follows")
    try:
        published = publish_draft(
            context.writer,
            context.reference_data,
            _act(guide, posted, visitor, now),
            follows=int(follows) if PLACE.fullmatch(follows) else None,
        )
    except InvalidEdition:
        return lead_to(f"{GUIDES_PATH}/{guide}#to-do")
    return desk_page(context, "desk_edit_published.html", visitor=visitor, key=published.key, digest=published.digest)


@router.post("/{guide}/removal")
def remove_on_page(
    *, context: ContextDep, visitor: PageEditorDep, now: NowDep, guide: GuideName, posted: SubmittedFormDep
) -> Response:
    """Remove the draft as the page showed it."""
    if posted.one("agreed") != AGREED:
        return lead_to(f"{GUIDES_PATH}/{guide}#remove")
    discard_draft(context.writer, _act(guide, posted, visitor, now))
    return lead_to(GUIDES_PATH)


def _act(guide: str, posted: SubmittedForm, visitor: Visitor, now: dt.datetime) -> DraftAct:
    """Return the act on the draft, if it is still the version that the page showed."""

    def check(draft: GuideDraftRow) -> None:
        if posted.one("version") != str(draft.version):
            raise DraftChanged

    return DraftAct(guide, visitor.actor.client, now, check)


async def get_page(page: Annotated[str, Path(max_length=40)]) -> str:
    """Return the name of a page of a draft. Raises `NotFound`."""
    if page not in EDIT_PAGES:
        raise NotFound
    return page


EditPage = Annotated[str, Depends(get_page)]


@dataclass(frozen=True)
class Editing:
    """One section of a guide's draft, and who edits it."""

    context: AppContext
    session: Session
    visitor: Visitor
    now: dt.datetime
    guide: str
    page: str

    @property
    def path(self) -> str:
        """The path of the form."""
        return f"{GUIDES_PATH}/{self.guide}/sections/{self.page}"

    def check(self, draft: GuideDraftRow) -> CheckedDraft:
        """Check the whole draft."""
        return check_draft(self.session, draft, self.context.reference_data, today=self.now.date())

    def remarks(self, checked: CheckedDraft | None) -> list[Remark]:
        """Return what must be corrected in the section."""
        return [each for each in map(_remark, checked.faults if checked else ()) if each.page == self.page]

    def published_ids(self) -> frozenset[str]:
        """Return the ids that the items of the section have in the current edition."""
        current = current_of(find_history(self.session, guide=self.guide))
        if current is None:
            return frozenset()
        items = getattr(self.context.contents(current.key, self.session), self.page, ())
        return frozenset(item.id for item in items)


@router.get("/{guide}/sections/{page}")
def read_section_page(
    context: ContextDep, session: SessionDep, visitor: PageEditorDep, now: NowDep, guide: GuideName, page: EditPage
) -> Response:
    """Return the form of the section as it is saved now."""
    return _section_page(Editing(context, session, visitor, now, guide, page), get_guide_draft(session, guide))


@router.post("/{guide}/sections/{page}")
def save_section_page(
    *,
    context: ContextDep,
    session: SessionDep,
    visitor: PageEditorDep,
    now: NowDep,
    guide: GuideName,
    page: EditPage,
    posted: SubmittedFormDep,
    if_match: Annotated[str | None, Header(max_length=100)] = None,
) -> Response:
    """Save what was typed. Where somebody saved other words meanwhile, show both, and lose none."""
    editing = Editing(context, session, visitor, now, guide, page)
    shown, act = (if_match or posted.one("shown")).strip('"'), posted.one("act")
    is_autosave = act == AUTOSAVE
    try:
        draft, entry = _save(editing, posted, shown, "" if is_autosave else act)
    except DraftChanged:
        if is_autosave:
            return JSONResponse({}, DraftChanged.status)
        return _section_page(editing, find_guide_draft(session, guide), posted)
    if not is_autosave:
        return lead_to(f"{editing.path}#{entry or 'saved'}")
    body = {  # what the page's script needs
        "shown": section_tag(draft.read(), page),
        "saved": date_and_time(draft.written_at),
        "faults": [each.words for each in editing.remarks(editing.check(draft))],
    }
    return JSONResponse(body)


def _save(editing: Editing, posted: SubmittedForm, shown: str, act: str) -> tuple[GuideDraftRow, str]:
    """Save what was posted, and do what the button says. Return the draft, and the entry that the button was about.

    `shown` is the tag of the section as the page was drawn. Raises `DraftChanged` where somebody saved other words of
    this section since. What others did to other sections of the draft stays.
    """
    page, ids = editing.page, editing.published_ids()
    # a draft that is there refuses other tags
    beginning = _first_words(editing.context, editing.session, editing.guide) if shown == NOT_BEGUN else {}
    entries: list[str] = []

    def change(draft: GuideDraftRow | None) -> dict[str, Any]:
        former = draft.read() if draft is not None else None
        if section_tag(former, page) != shown and not (act == "" and _is_saved(former, page, posted, ids)):
            raise DraftChanged
        content = with_section(former if former is not None else beginning, page, posted)
        entries.append(do_act(content, act))
        return with_ids(content, page, former or {}, ids)

    by = editing.visitor.actor.client
    draft = write_guide_draft(editing.context.writer, editing.guide, change, by=by, at=editing.now)
    return draft, entries[-1]


def _is_saved(former: dict[str, Any] | None, page: str, posted: SubmittedForm, ids: Collection[str]) -> bool:
    """Return whether these words are saved already: the answer was lost, and the page sends them again."""
    if former is None:
        return False
    again = with_ids(with_section(former, page, posted), page, former, ids)
    return section_tag(again, page) == section_tag(former, page)


def _section_page(editing: Editing, draft: GuideDraftRow | None, mine: SubmittedForm | None = None) -> Response:
    """Return the form; with `mine`, of those words, beside the ones that are saved now."""
    page, saved = editing.page, draft.read() if draft is not None else None
    content = saved if saved is not None else _first_words(editing.context, editing.session, editing.guide)
    typed = content if mine is None else with_section(content, page, mine)
    checked = editing.check(draft) if draft is not None else None
    current = checked.published.current if checked else None
    return desk_page(
        editing.context,
        "desk_edit_section.html",
        status=200 if mine is None else DraftChanged.status,
        visitor=editing.visitor,
        guide=editing.guide,
        page=page,
        pages=EDIT_PAGES,
        draft=draft,
        shown=section_tag(saved, page),
        is_list=page != DETAILS,
        words=singular(page).replace("_", " "),
        remarks=editing.remarks(checked),
        comparison=_compare_with(draft, current) if draft is not None and current is not None else None,
        current=current_of(checked.published.history) if checked else None,
        is_conflict=mine is not None,
        theirs=_form(saved, page) if mine is not None and saved is not None else None,
        **_form(typed, page),
    )


def _form(content: dict[str, Any], page: str) -> dict[str, Any]:
    """Return the fields of the page, or its entries, and the names of everything that can be linked to."""
    fields, value = form_fields(page), section_value(content, page)
    if page == DETAILS:
        shown = show_fields(fields, "", value)
        own = ShownEntry("", "", shown, tuple(unknown_members(fields, value)))
        return {"entries": (own,), "names": _names(own)}
    entries = show_entries(fields, page, value)
    return {"entries": entries, "names": set().union(*map(_names, entries))}


def _names(entry: ShownEntry) -> set[str]:
    inner = [each for shown in entry.fields for each in (shown, *shown.members)]
    below = [_names(each) for shown in inner for each in shown.entries]
    return {entry.name}.union((each.name for each in inner), *below)


def _first_words(context: AppContext, session: Session, guide: str) -> dict[str, Any]:
    """Return the words of the current edition without its change note; of a new guide, its title and publisher."""
    current = current_of(find_history(session, guide=guide))
    if current is None:
        return {"title": guide.replace("-", " ").capitalize(), "publisher": {"name": context.settings.council_name}}
    words = _filled(context.contents(current.key, session).model_dump(mode="json"))
    return {name: value for name, value in words.items() if name != SAID_ANEW}


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        members = {name: _filled(member) for name, member in value.items() if name != POSITION}
        return {name: member for name, member in members.items() if member not in (None, "", [], {})}
    return [_filled(member) for member in value] if isinstance(value, list) else value


def _compare_with(draft: GuideDraftRow, current: EditionContent) -> DraftComparison:
    """Return what the draft changes."""
    after, unread = read_partly(draft.read(), current)
    by_heading = describe_section_changes(changed_sections(current, after))
    changes = {key: by_heading[entry.heading] for key, entry in ITEM_LISTS.items() if entry.heading in by_heading}
    fields = describe_field_changes(changed_fields(current, after))
    pages = frozenset(name if name in ITEM_LISTS else DETAILS for name in unread if name != "change_note")
    return DraftComparison(({DETAILS: fields} if fields else {}) | changes, pages)


def _remark(fault: FieldError) -> Remark:
    words = BACKTICKED.sub(_label, fault.detail.replace("the file", "the guide"))
    page = str(fault.at[0]) if fault.at and fault.at[0] in ITEM_LISTS else DETAILS
    return Remark(words[:1].upper() + words[1:], page, ".".join(map(str, fault.at)))


def _label(found: re.Match[str]) -> str:
    """Return a key as the form names it; anything else between quotes."""
    heading = CAUTIONS.heading if found[1] == CAUTIONS.path else found[1]
    return f"‘{FIELD_LABELS.get(found[1], heading)}’"
