"""Pages for writing guides: the list of guides and drafts, and the form of one section of a draft."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Response
from fastapi.responses import JSONResponse
from sqlmodel import Session

from app.errors import DraftChanged, NotFound
from app.extensions.editing import PAGES
from app.extensions.editing.pages.draft_requests import Editing, EditingDep, EditorVisitDep, waiting_for
from app.extensions.editing.pages.edit_faults import Remark, at_fields, fault_remark, faults_beside
from app.extensions.editing.pages.edit_fields import (
    EditField,
    ShownEntry,
    ShownField,
    form_fields,
    show_entries,
    show_fields,
    unknown_members,
)
from app.extensions.editing.pages.edit_posts import (
    EDIT_PAGES,
    NOT_BEGUN,
    do_act,
    section_tag,
    section_value,
    with_ids,
    with_section,
)
from app.extensions.editing.services.draft_checks import CheckedDraft, read_partly
from app.extensions.editing.services.draft_review import CHANGE_NOTE, Comment, discussion_of
from app.extensions.editing.services.drafts import (
    DraftContent,
    find_guide_draft,
    get_guide_draft,
    list_draft_acts,
    list_guide_drafts,
)
from app.extensions.editing.services.rendition_drafts import list_languages_behind
from app.extensions.editing.services.uploads import MAX_UPLOAD_BYTES, reads_documents
from app.extensions.editing.tables import GuideDraftRow
from app.http.context import SessionDep
from app.models.guides.code_lists import CodeList
from app.models.guides.editions import EditionContent
from app.models.guides.fault_words import singular
from app.models.guides.proposed_ids import propose_id
from app.models.guides.sections import ITEM_LISTS, Section
from app.pages.frame import DeskRouter, Visit, lead_to
from app.pages.guides.change_words import DETAILS, TextChange, describe_changes
from app.pages.posted_forms import SubmittedForm, SubmittedFormDep
from app.pages.text_format import date_and_time
from app.services.guides.editions import current_of, find_history, list_sections
from app.services.guides.guides import list_guides_by_review

router = DeskRouter(PAGES)
NO_TITLE = "Enter the title of the new guide"
TAKEN = "There is already a guide or draft with this name: {}. Open it in the list, or choose another title"
MAX_TITLE = 200
NOTHING_POSTED = SubmittedForm()
AUTOSAVE, NEXT = "autosave", "next"


@router.get("")
def read_guides_to_edit(
    session: SessionDep, visit: EditorVisitDep, fault: Annotated[str, Query(max_length=80)] = ""
) -> Response:
    """`fault` says why a new guide was refused: `none` for an empty title, otherwise the name taken."""
    return guides_page(
        visit, session, {"title": TAKEN.format(fault) if fault != "none" else NO_TITLE} if fault else {}, status=200
    )


def guides_page(
    visit: Visit, session: Session, faults: dict[str, str], *, status: int, posted: SubmittedForm = NOTHING_POSTED
) -> Response:
    """`posted` is a refused form, whose text and guide are filled in again."""
    drafts, reviews = list_guide_drafts(session), list_guides_by_review(session)
    titles = {each.guide: each.title for each in reviews}
    return visit.page(
        "desk_edit_guides.html",
        status=status,
        drafts=[(each, titles.get(each.guide, each.guide) if each.language else title_of(each)) for each in drafts],
        drafted={each.guide for each in drafts if not each.language},
        reviews=[(each, each.is_due(visit.now.date())) for each in reviews],
        numbers={
            each.guide: [contact for contact in contacts if contact.phones]
            for each, contacts in list_sections(session, Section.CONTACTS)
        },
        behind=list_languages_behind(session, {each.guide: each.number for each in reviews}),
        waiting=waiting_for(visit, session),
        faults=faults,
        posted=posted,
        reads_documents=reads_documents(),
        largest=MAX_UPLOAD_BYTES,
    )


@router.post("/new")
def begin_new_guide(session: SessionDep, visit: EditorVisitDep, posted: SubmittedFormDep) -> Response:
    """Name the guide by the posted title. If that is empty or taken, the list of guides shows an error."""
    title = posted.one("title").strip()[:MAX_TITLE]
    guide = propose_id(title)
    if not title:
        return lead_to(f"{PAGES}?fault=none")
    if find_guide_draft(session, guide) is not None or find_history(session, guide=guide):
        return lead_to(f"{PAGES}?fault={guide}")
    editing = Editing(**vars(visit), session=session, guide=guide)
    return editing.begin(editing.initial_content() | {"title": title})


@router.post("/{guide}/begin")
def begin_draft(editing: EditingDep) -> Response:
    """Begin with the current edition without its change note. An existing draft stays."""
    return editing.begin(editing.initial_content())


def title_of(draft: GuideDraftRow) -> str:
    """Return the title, or the name of the guide if there is none."""
    title = draft.read().get("title")
    return title if isinstance(title, str) and title.strip() else draft.guide


async def _get_page(page: Annotated[str, Path(max_length=40)]) -> str:
    """Raise `NotFound` if drafts have no such section."""
    if page not in EDIT_PAGES:
        raise NotFound
    return page


EditPage = Annotated[str, Depends(_get_page)]


@router.get("/{guide}/sections/{page}")
def read_section_page(editing: EditingDep, page: EditPage) -> Response:
    """Raise `NoSuchGuideDraft`."""
    return _section_page(editing, page, get_guide_draft(editing.session, editing.guide))


@router.post("/{guide}/sections/{page}")
def save_section_page(
    editing: EditingDep,
    page: EditPage,
    posted: SubmittedFormDep,
    if_match: Annotated[str | None, Header(max_length=100)] = None,
) -> Response:
    """Save the section, and do what the pressed button says. An autosave gets JSON.

    The form posts the tag of the section as `shown` or If-Match. If another person has saved other content since,
    nothing is saved: 412 with both versions, or an empty object.
    """
    shown, act = (if_match or posted.one("shown")).strip('"'), posted.one("act")
    is_autosave = act == AUTOSAVE
    try:
        draft, entry = _save(editing, page, posted, shown, "" if is_autosave else act)
    except DraftChanged:
        if is_autosave:
            return JSONResponse({}, DraftChanged.status)
        return _section_page(editing, page, find_guide_draft(editing.session, editing.guide), posted)
    if act == NEXT:
        following = _following(page)
        return lead_to(f"{editing.path}/sections/{following}" if following else editing.path)
    if not is_autosave:
        return lead_to(f"{editing.path}/sections/{page}#{entry or 'saved'}")
    return JSONResponse(_autosaved(editing, page, draft))


def _autosaved(editing: Editing, page: str, draft: GuideDraftRow) -> dict[str, Any]:
    """Return JSON for the page's script: new tag (`shown`), time, errors, and each value in words (`said`).

    `changes` are those to the current edition, or `note` says why there are none.
    """
    content, checked = draft.read(), editing.check(draft)
    form = _form(content, page)
    remarks = at_fields(_remarks_on(page, checked), form["names"])
    note, changes = _comparison_of(page, beside_current(draft, checked)["comparison"])
    return {
        "shown": section_tag(content, page),
        "saved": date_and_time(draft.written_at),
        "faults": [each.words for each in remarks],
        "beside": faults_beside(remarks, content),
        "said": {each.name: each.said for entry in form["entries"] for each in _all_fields(entry) if each.said},
        "note": note,
        "changes": [
            {"heading": each.heading, "runs": [run.model_dump(mode="json") for run in each.runs]} for each in changes
        ],
    }


def _save(editing: Editing, page: str, posted: SubmittedForm, shown: str, act: str) -> tuple[GuideDraftRow, str]:
    """Return the draft, and the path of the entry to show, if any.

    Raise `DraftChanged` if the section was saved since.
    """
    current = editing.current
    beginning = editing.initial_content() if shown == NOT_BEGUN else {}  # only this tag may begin a draft
    entries: list[str] = []

    def change(draft: GuideDraftRow | None) -> DraftContent:
        former = draft.read() if draft is not None else None
        if section_tag(former, page) != shown and not (act == "" and _is_saved(former, page, posted, current)):
            raise DraftChanged
        content = with_section(former if former is not None else beginning, page, posted)
        entries.append(do_act(content, act))
        return with_ids(content, page, former or {}, current)

    return editing.write(change), entries[-1]


def _is_saved(former: DraftContent | None, page: str, posted: SubmittedForm, current: EditionContent | None) -> bool:
    """Return True if the page posts again what it has saved, after a lost response."""
    if former is None:
        return False
    again = with_ids(with_section(former, page, posted), page, former, current)
    return section_tag(again, page) == section_tag(former, page)


def _section_page(
    editing: Editing, page: str, draft: GuideDraftRow | None, mine: SubmittedForm | None = None
) -> Response:
    """If `mine` is given, show it beside what is saved, with 412."""
    saved = draft.read() if draft is not None else None
    content = saved if saved is not None else editing.initial_content()
    typed = content if mine is None else with_section(content, page, mine)
    checked = editing.check(draft) if draft is not None else None
    form = _form(typed, page)
    remarks = at_fields(_remarks_on(page, checked), form["names"])
    comparison = beside_current(draft, checked)
    note, changes = _comparison_of(page, comparison["comparison"])
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
        following=_following(page),
        choices_of=partial(_choices_of, editing.context.reference_data.code_lists),
        remarks=remarks,
        beside=faults_beside(remarks, typed),
        is_conflict=mine is not None,
        theirs=_form(saved, page) if mine is not None and saved is not None else None,
        comments=_comments_on(editing, page, typed),
        note=note,
        changes=changes,
        current=comparison["current"],
        **form,
    )


def _comparison_of(page: str, comparison: dict[str, Any] | None) -> tuple[str, Sequence[TextChange]]:
    """Return the changes, or a sentence that says why there are none."""
    if comparison is None:
        return "There is no published edition to compare with.", ()
    if page in comparison["unread"]:
        return "This section is incomplete, so changes cannot be shown yet.", ()
    changes = comparison["changes"].get(page, ())
    return "" if changes else "Nothing changed.", changes


def _comments_on(editing: Editing, page: str, content: DraftContent) -> list[tuple[Comment, str]]:
    """Return each comment with the path of the item's entry, which is empty if the item has been removed."""
    entries = content.get(page)
    ids = [each.get("id") if isinstance(each, dict) else None for each in entries] if isinstance(entries, list) else []
    found = discussion_of(list_draft_acts(editing.session, editing.guide)).comments
    here = [(each, each.about.removeprefix(f"{page}/")) for each in found if each.about.startswith(f"{page}/")]
    return [(each, f"{page}.{ids.index(id_)}" if id_ in ids else "") for each, id_ in here]


def _following(page: str) -> str | None:
    pages = list(EDIT_PAGES)
    return next(iter(pages[pages.index(page) + 1 :]), None)


def _choices_of(code_lists: Mapping[str, CodeList], field: EditField) -> tuple[tuple[str, str], ...]:
    """Return the codes of the field's code list, if it has one."""
    found = code_lists.get(field.code_list)
    return tuple((each.code, each.label) for each in found.codes) if found is not None else field.choices


def _remarks_on(page: str, checked: CheckedDraft | None) -> list[Remark]:
    return [each for each in (remarks_of(checked) if checked else ()) if each.page == page]


def remarks_of(checked: CheckedDraft) -> list[Remark]:
    """Return the remarks without repeats."""
    content = checked.draft.read()
    return list(dict.fromkeys(fault_remark(each, content) for each in checked.faults))


def beside_current(draft: GuideDraftRow | None, checked: CheckedDraft | None) -> dict[str, Any]:
    """Return the `current` edition, and a `comparison`: the `changes`, and pages not compared in full as `unread`."""
    if draft is None or checked is None:
        return {"current": None, "comparison": None}
    head, current = current_of(checked.published.history), checked.published.current
    if current is None:
        return {"current": head, "comparison": None}
    after, unread = read_partly(draft.read(), current)
    pages = frozenset(name if name in ITEM_LISTS else DETAILS for name in unread if name != CHANGE_NOTE)
    return {"current": head, "comparison": {"changes": describe_changes(current, after), "unread": pages}}


def _form(content: dict[str, Any], page: str) -> dict[str, Any]:
    """Return the entries, and the names to which errors link. `DETAILS` has one entry."""
    fields, value = form_fields(page), section_value(content, page)
    if page == DETAILS:
        shown = show_fields(fields, "", value)
        own = ShownEntry("", "", shown, unknown_members(fields, value))
        return {"entries": (own,), "names": _names(own)}
    entries = show_entries(fields, page, value)
    return {"entries": entries, "names": set().union(*map(_names, entries))}


def all_forms(content: dict[str, Any]) -> dict[str, tuple[ShownEntry, ...]]:
    """Return the entries by section. Empty sections are left out."""
    forms = {page: _form(content, page)["entries"] for page in EDIT_PAGES}
    return {page: entries for page, entries in forms.items() if entries}


def _names(entry: ShownEntry) -> set[str]:
    fields = list(_all_fields(entry))
    entries = {inner.name for each in fields for inner in each.entries}
    return {entry.name, *(each.name for each in fields), *entries}


def _all_fields(entry: ShownEntry) -> Iterator[ShownField]:
    """Include the fields in groups and lists."""
    for field in entry.fields:
        for each in (field, *field.members):
            yield each
            for inner in each.entries:
                yield from _all_fields(inner)
