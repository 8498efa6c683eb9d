"""Pages for writing guides: the list of guides and drafts, and the form of one section of a draft."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Response
from fastapi.responses import JSONResponse
from sqlmodel import Session

from app.errors import DraftChanged, NotFound
from app.http.context import SessionDep
from app.http.routes import GuidanceRouter
from app.models.guides.code_lists import CodeList
from app.models.guides.edition_files import read_partly
from app.models.guides.edition_rows import GuideDraftRow
from app.models.guides.editions import EditionContent
from app.models.guides.fault_words import singular
from app.models.guides.proposed_ids import propose_id
from app.models.guides.sections import ITEM_LISTS
from app.pages.frame import DeskRoute, EditorVisitDep, Visit, lead_to
from app.pages.guides.change_words import TextChange, describe_changes
from app.pages.guides.edit_faults import Remark, at_fields, fault_remark, faults_beside
from app.pages.guides.edit_fields import (
    DETAILS,
    EditField,
    ShownEntry,
    ShownField,
    form_fields,
    show_entries,
    show_fields,
    unknown_members,
)
from app.pages.guides.edit_posts import (
    EDIT_PAGES,
    NOT_BEGUN,
    do_act,
    section_tag,
    section_value,
    with_ids,
    with_section,
)
from app.pages.guides.editing import Editing, EditingDep, waiting_for
from app.pages.posted_forms import SubmittedForm, SubmittedFormDep
from app.pages.text_format import date_and_time
from app.services.access.sign_in import GUIDES_PATH
from app.services.guides.draft_review import CHANGE_NOTE, Comment, discussion_of
from app.services.guides.drafts import (
    DraftContent,
    find_guide_draft,
    get_guide_draft,
    list_draft_acts,
    list_guide_drafts,
)
from app.services.guides.editions import current_of, find_history, list_languages_behind
from app.services.guides.guides import list_reviews
from app.services.guides.uploads import MAX_UPLOAD_BYTES, reads_documents
from app.services.guides.validation import CheckedDraft

router = GuidanceRouter(prefix=GUIDES_PATH, include_in_schema=False, route_class=DeskRoute)
NO_TITLE = "Enter the title of the new guide"
TAKEN = "There is already a guide or draft with this name: {}. Open it in the list, or choose another title"
MAX_TITLE = 200
NOTHING_POSTED = SubmittedForm()
AUTOSAVE, NEXT = "autosave", "next"


@router.get("")
def read_guides_to_edit(
    session: SessionDep, visit: EditorVisitDep, fault: Annotated[str, Query(max_length=80)] = ""
) -> Response:
    """Return the page with all drafts, and with every guide and the day of the guide's next review.

    `fault` says why a new guide was refused: `none` if the title was empty, otherwise the name that is taken. If no
    guide was refused, `fault` is empty.
    """
    return guides_page(
        visit, session, {"title": TAKEN.format(fault) if fault != "none" else NO_TITLE} if fault else {}, status=200
    )


def guides_page(
    visit: Visit, session: Session, faults: dict[str, str], *, status: int, posted: SubmittedForm = NOTHING_POSTED
) -> Response:
    """Return the page with all drafts and guides, and with the HTTP status `status`.

    `faults` maps the name of a field to an error. If a document was refused, `posted` is the refused form: the page
    fills in the posted text and the chosen guide again.
    """
    drafts, reviews = list_guide_drafts(session), list_reviews(session)
    titles = {each.guide: each.title for each in reviews}
    return visit.page(
        "desk_edit_guides.html",
        status=status,
        drafts=[(each, titles.get(each.guide, each.guide) if each.language else title_of(each)) for each in drafts],
        drafted={each.guide for each in drafts if not each.language},
        reviews=[(each, each.is_due(visit.now.date())) for each in reviews],
        behind=list_languages_behind(session, {each.guide: each.number for each in reviews}),
        waiting=waiting_for(visit, session),
        faults=faults,
        posted=posted,
        reads_documents=reads_documents(),
        largest=MAX_UPLOAD_BYTES,
    )


@router.post("/new")
def begin_new_guide(session: SessionDep, visit: EditorVisitDep, posted: SubmittedFormDep) -> Response:
    """Start the draft of a new guide with the posted title, and redirect to the draft.

    The name of the guide is made from the title. If the title is empty or the name is taken, redirect to the list of
    guides, which shows an error.
    """
    title = posted.one("title").strip()[:MAX_TITLE]
    guide = propose_id(title)
    if not title:
        return lead_to(f"{GUIDES_PATH}?fault=none")
    if find_guide_draft(session, guide) is not None or find_history(session, guide=guide):
        return lead_to(f"{GUIDES_PATH}?fault={guide}")
    editing = Editing(**vars(visit), session=session, guide=guide)
    return editing.begin(editing.initial_content() | {"title": title})


@router.post("/{guide}/begin")
def begin_draft(editing: EditingDep) -> Response:
    """Start a draft from the content of the current edition without the change note, and redirect to the draft.

    If there is no current edition, the draft begins with a title and a publisher. If the guide has a draft already,
    only redirect to that draft.
    """
    return editing.begin(editing.initial_content())


def title_of(draft: GuideDraftRow) -> str:
    """Return the title of `draft`, or the name of the guide if the draft has no title."""
    title = draft.read().get("title")
    return title if isinstance(title, str) and title.strip() else draft.guide


async def get_page(page: Annotated[str, Path(max_length=40)]) -> str:
    """Return the name of a draft's section from the path, as a FastAPI dependency.

    Raise `NotFound` if drafts have no such section.
    """
    if page not in EDIT_PAGES:
        raise NotFound
    return page


EditPage = Annotated[str, Depends(get_page)]


@router.get("/{guide}/sections/{page}")
def read_section_page(editing: EditingDep, page: EditPage) -> Response:
    """Return the form of the section `page` with the saved content. Raise `NoSuchGuideDraft` if there is no draft."""
    return _section_page(editing, page, get_guide_draft(editing.session, editing.guide))


@router.post("/{guide}/sections/{page}")
def save_section_page(
    editing: EditingDep,
    page: EditPage,
    posted: SubmittedFormDep,
    if_match: Annotated[str | None, Header(max_length=100)] = None,
) -> Response:
    """Save the posted section `page`, run the action of the pressed button, and redirect to the form.

    The button for the next section redirects to the form of the next section, or after the last section to the draft.
    For an autosave, return JSON instead. The form posts the tag of the section that the page showed, as the field
    `shown` or as If-Match. If another person has saved different content of the section since then, save nothing. Then
    return a page with both versions and the status 412, or for an autosave an empty object with the status 412.
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
    """Return the values for the page's JavaScript after an autosave of the section `page`.

    `shown` is the new tag of the section, `saved` the time, and `faults` the errors of the section. `beside` has the
    error of each field. `said` has the value of each field as this service has understood the value, in words.
    `changes` has the differences between the section and the same section of the current edition. If there are no
    differences, `note` says why.
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
    """Save the posted section `page`, and run the action `act` of the pressed button.

    Return the draft, and the path of the entry to show, which is empty if the action is about no entry. `shown` is the
    tag of the section when the page was shown. Raise `DraftChanged` if another person has saved different content of
    this section since then. Keep the changes of other people to other sections.
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
    """Return True if the posted content of the section `page` is already saved in `former`, the saved draft.

    After a lost response, the page posts the same content again. `current` is the content of the current edition, or
    None.
    """
    if former is None:
        return False
    again = with_ids(with_section(former, page, posted), page, former, current)
    return section_tag(again, page) == section_tag(former, page)


def _section_page(
    editing: Editing, page: str, draft: GuideDraftRow | None, mine: SubmittedForm | None = None
) -> Response:
    """Return the form of the section `page`, with the content of `draft`, or of a new draft if `draft` is None.

    If `mine`, the posted form of this person, is given, fill in that input, and show the saved content beside the
    input. The status is then 412.
    """
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
    """Return a note and the changes of the section `page`.

    The note is a sentence that says why there are no changes, or empty if there are changes. `comparison` is the
    template variable of that name from `beside_current`.
    """
    if comparison is None:
        return "There is no published edition to compare with.", ()
    if page in comparison["unread"]:
        return "This section is incomplete, so changes cannot be shown yet.", ()
    changes = comparison["changes"].get(page, ())
    return "" if changes else "Nothing changed.", changes


def _comments_on(editing: Editing, page: str, content: DraftContent) -> list[tuple[Comment, str]]:
    """Return the open comments on items of the section `page`, each with the path of the item's entry in the form.

    The path is empty if `content` no longer has the item.
    """
    entries = content.get(page)
    ids = [each.get("id") if isinstance(each, dict) else None for each in entries] if isinstance(entries, list) else []
    found = discussion_of(list_draft_acts(editing.session, editing.guide)).comments
    here = [(each, each.about.removeprefix(f"{page}/")) for each in found if each.about.startswith(f"{page}/")]
    return [(each, f"{page}.{ids.index(id_)}" if id_ in ids else "") for each, id_ in here]


def _following(page: str) -> str | None:
    """Return the name of the section after `page`, or None if `page` is the last section."""
    pages = list(EDIT_PAGES)
    return next(iter(pages[pages.index(page) + 1 :]), None)


def _choices_of(code_lists: Mapping[str, CodeList], field: EditField) -> tuple[tuple[str, str], ...]:
    """Return the value and the label of each choice of `field`.

    If `field` has a code list in `code_lists`, the choices are the codes of that list.
    """
    found = code_lists.get(field.code_list)
    return tuple((each.code, each.label) for each in found.codes) if found is not None else field.choices


def _remarks_on(page: str, checked: CheckedDraft | None) -> list[Remark]:
    """Return the errors in `checked` that belong to the section `page`, or an empty list if `checked` is None."""
    return [each for each in (remarks_of(checked) if checked else ()) if each.page == page]


def remarks_of(checked: CheckedDraft) -> list[Remark]:
    """Return the errors in `checked` as remarks. Leave out repeated remarks."""
    content = checked.draft.read()
    return list(dict.fromkeys(fault_remark(each, content) for each in checked.faults))


def beside_current(draft: GuideDraftRow | None, checked: CheckedDraft | None) -> dict[str, Any]:
    """Return the template variables for comparing `draft` with the current edition. `checked` is the checked draft.

    `current` is the current edition, or None if there is none. `comparison` has the changes by page (`changes`), and
    the pages that are not compared in full because some of the content is not valid (`unread`). If there is no draft or
    no current edition, `comparison` is None.
    """
    if draft is None or checked is None:
        return {"current": None, "comparison": None}
    head, current = current_of(checked.published.history), checked.published.current
    if current is None:
        return {"current": head, "comparison": None}
    after, unread = read_partly(draft.read(), current)
    pages = frozenset(name if name in ITEM_LISTS else DETAILS for name in unread if name != CHANGE_NOTE)
    return {"current": head, "comparison": {"changes": describe_changes(current, after), "unread": pages}}


def _form(content: dict[str, Any], page: str) -> dict[str, Any]:
    """Return template variables about the section `page` of `content`: the entries, and the names to which errors link.

    The names are the paths of the entries and fields on the page. The section `DETAILS` has one entry.
    """
    fields, value = form_fields(page), section_value(content, page)
    if page == DETAILS:
        shown = show_fields(fields, "", value)
        own = ShownEntry("", "", shown, unknown_members(fields, value))
        return {"entries": (own,), "names": _names(own)}
    entries = show_entries(fields, page, value)
    return {"entries": entries, "names": set().union(*map(_names, entries))}


def all_forms(content: dict[str, Any]) -> dict[str, tuple[ShownEntry, ...]]:
    """Return the form entries of `content` by section. Leave out sections without entries."""
    forms = {page: _form(content, page)["entries"] for page in EDIT_PAGES}
    return {page: entries for page, entries in forms.items() if entries}


def _names(entry: ShownEntry) -> set[str]:
    fields = list(_all_fields(entry))
    entries = {inner.name for each in fields for inner in each.entries}
    return {entry.name, *(each.name for each in fields), *entries}


def _all_fields(entry: ShownEntry) -> Iterator[ShownField]:
    """Yield every field of `entry`, including the fields in groups and lists."""
    for field in entry.fields:
        for each in (field, *field.members):
            yield each
            for inner in each.entries:
                yield from _all_fields(inner)
