"""Pages for renditions: the languages of a guide, and a draft beside the guide with its table for translators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Annotated

from babel import Locale
from fastapi import Header, Query, Response
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter, ValidationError

from app.errors import BadRequest, DraftChanged, FieldError, NoSuchGuideDraft, NotFound
from app.extensions.editing import PAGES
from app.extensions.editing.pages.draft_requests import NO_FAULTS, Editing, ReviewingDep
from app.extensions.editing.pages.drafts import AUTOSAVE
from app.extensions.editing.pages.edit_faults import BACKTICKED, FORMS, Remark, faults_beside
from app.extensions.editing.pages.edit_posts import EDIT_PAGES
from app.extensions.editing.pages.edit_review import NO_PLAN, PlanDep, PlanTyped, review_values
from app.extensions.editing.pages.edit_values import read_typed_day, shown_day
from app.extensions.editing.pages.posted_files import PostedFileDep
from app.extensions.editing.services.drafts import DraftContent, find_guide_draft, get_guide_draft
from app.extensions.editing.services.rendition_drafts import (
    TextPair,
    begin_rendition,
    check_rendition_draft,
    continue_rendition,
    list_pairs,
    move_to,
    read_parts,
    save_texts,
)
from app.extensions.editing.services.translation_tables import (
    MAX_TABLE_BYTES,
    TOO_LARGE,
    TableOutcome,
    TableRefused,
    fill_draft,
    read_table,
    translation_table,
)
from app.extensions.editing.tables import GuideDraftRow
from app.http.responses import download
from app.models.base import MAX_TEXT_LENGTH
from app.models.guides.comparison import WordRun, changed_words
from app.models.guides.edition_keys import EditionKey
from app.models.guides.editions import EditionContent
from app.models.guides.renditions import Maker
from app.models.languages import (
    BRITISH_SIGN_LANGUAGE,
    EASY_READ_SUFFIX,
    ENGLISH_TAG,
    GUIDE_LANGUAGE,
    LanguageTag,
    RenditionForm,
)
from app.pages.frame import DeskRouter, lead_to
from app.pages.guides.change_words import DETAILS
from app.pages.guides.guides import FORM_LABELS
from app.pages.posted_forms import SubmittedForm, SubmittedFormDep
from app.pages.text_format import date_and_time
from app.services.csv_sheets import CSV_MEDIA
from app.services.guides.editions import current_of, get_history, list_renditions, require_current
from app.services.guides.renditions import current_renditions, is_of_former_edition

router = DeskRouter(PAGES)
TEXT, SETTLED = "text:", "settled:"
LINK_FIELDS = ("url", "title", "text_alternative")
CHECKED_ON = "checked_on"
MAKING_FIELDS = ("made_by", "tool", "checked_by", CHECKED_ON)
FIELD_NAMES = {
    "checked_by": "Checked by",
    CHECKED_ON: "Checked on",
    "tool": "Program",
    "link": "Link",
    "url": "Address",
    "title": "Title",
    "text_alternative": "Text alternative",
    "alt": "What a picture shows",
}
ABOUT = EDIT_PAGES[DETAILS]
OFFERED_LANGUAGES = ("cy", "pl", "ur", "ro", "ar", "uk", "bn", "pa", "so", "fr", "es", "pt")
"""Others can be typed."""
NOT_A_LANGUAGE = "Enter the name of a language, such as Welsh, or its tag, such as cy"
MOST_REFUSED = 100
"""Rows of a table that the page shows."""
TABLE = "table"
"""The field with the table, and the last part of its path."""
OVER_CHANGES = "over"
RefusedLanguage = Annotated[str, Query(max_length=10)]
_language: TypeAdapter[str] = TypeAdapter(LanguageTag)


@dataclass(frozen=True)
class ShownPair:
    """A text and its translation.

    `theirs` is what another person saved. `changes` were made since it was translated.
    """

    pair: TextPair
    typed: str
    changes: tuple[WordRun, ...]
    theirs: str | None = None


@router.get("/{guide}/renditions")
def read_renditions_page(editing: ReviewingDep, fault: RefusedLanguage = "") -> Response:
    """`fault` says that the language of a new rendition was refused. Raise `NoSuchGuide`."""
    session, guide = editing.session, editing.guide
    history, stored = get_history(session, guide=guide), list_renditions(session, guide=guide)
    readable = current_renditions(history, stored)
    current = current_of(history)
    return editing.page(
        "desk_edit_renditions.html",
        guide=guide,
        title=history[0].title,
        current=current,
        renditions=[(each, FORM_LABELS[each.form], is_of_former_edition(history, each.edition)) for each in readable],
        drafted={tag for tag in {each.key.language for each in stored} if find_guide_draft(session, guide, tag)},
        forms=FORM_LABELS,
        languages=OFFERED_LANGUAGES,
        faults={"language": NOT_A_LANGUAGE} if fault else {},
    )


@router.post("/{guide}/renditions/begin")
def begin_rendition_draft(editing: ReviewingDep, posted: SubmittedFormDep) -> Response:
    """Open the draft in that language, or begin one from what is published. Raise `NoSuchGuide` or `EditionWithdrawn`.

    A refused language or format leads back to the form.
    """
    try:
        form = RenditionForm(posted.one("form"))
        language = _language.validate_python(_tag_of(form, posted.one("language").strip()))
    except (ValueError, ValidationError):
        return lead_to(f"{PAGES}/{editing.guide}/renditions?fault=language#language")
    session, guide = editing.session, editing.guide
    history = get_history(session, guide=guide)
    head, readable = require_current(history), current_renditions(history, list_renditions(session, guide=guide))
    former = next((each for each in readable if (each.key.language, each.form) == (language, form)), None)
    words = continue_rendition(session, head, former) if former else begin_rendition(head, language, form)
    return replace(editing, language=language).begin(words, "/texts")


def _tag_of(form: RenditionForm, typed: str) -> str:
    """Fixed for simple words and BSL; the tag or English name of a language; empty is the guide's. Not validated."""
    tags = Locale(ENGLISH_TAG).languages.items()
    named = next((tag.replace("_", "-") for tag, name in tags if name.casefold() == typed.casefold()), typed)
    of_form = {
        RenditionForm.EASY_READ: f"{GUIDE_LANGUAGE}{EASY_READ_SUFFIX}",
        RenditionForm.BSL_VIDEO: BRITISH_SIGN_LANGUAGE,
    }
    return of_form.get(form) or (named if form is RenditionForm.TRANSLATION else named or GUIDE_LANGUAGE)


@router.get("/{guide}/renditions/{language}")
def read_rendition_draft_page(editing: ReviewingDep, plan: PlanDep) -> Response:
    """Raise `NoSuchGuideDraft`."""
    return rendition_page(editing, plan)


def rendition_page(
    editing: Editing,
    plan: PlanTyped = NO_PLAN,
    *,
    outcome: TableOutcome | None = None,
    faults: Mapping[str, str] = NO_FAULTS,
    status: int = 200,
) -> Response:
    """`plan` is a refused time, and `outcome` that of an uploaded table. Raise `NoSuchGuideDraft`."""
    draft = get_guide_draft(editing.session, editing.guide, editing.language)
    checked = check_rendition_draft(editing.session, draft)
    current = current_of(get_history(editing.session, guide=editing.guide))
    shown, details = _pairs(editing, draft), _with_all_details(draft.read())
    groups = _groups(shown)
    values = review_values(editing, draft, checked.follows, [*map(_remark, checked.faults)], plan)
    return editing.page(
        "desk_edit_rendition.html",
        status=status,
        groups=groups,
        details=details,
        form=RenditionForm(details["form"]),
        current=current,
        missing=[each for each in shown if not each.typed],
        unsettled=[each for each in shown if each.pair.unsettled is not None],
        originals={each.pair.path: each.pair.original for each in shown},
        items=_items(groups),
        outcome=outcome,
        most_refused=MOST_REFUSED,
        faults=faults,
        largest_table=MAX_TABLE_BYTES,
        too_large_table=TOO_LARGE,
        **values,
    )


def _items(groups: Sequence[tuple[str, Sequence[ShownPair]]]) -> dict[str, dict[str, str]]:
    """Return the items that comments can be about, by heading: their paths and the beginnings of their texts."""
    return {
        heading: {"/".join(each.pair.path.split("/")[:2]): each.pair.original[:80] for each in reversed(pairs)}
        for heading, pairs in groups
        if heading != ABOUT
    }


@router.get("/{guide}/renditions/{language}/texts")
def read_texts_page(editing: ReviewingDep) -> Response:
    """Raise `NoSuchGuideDraft`."""
    return _texts_page(editing, get_guide_draft(editing.session, editing.guide, editing.language))


@router.post("/{guide}/renditions/{language}/texts")
def save_texts_page(
    editing: ReviewingDep, posted: SubmittedFormDep, if_match: Annotated[str | None, Header(max_length=100)] = None
) -> Response:
    """Save by the version of the whole draft, as `save_section_page`. Only an autosave may lack a draft."""
    shown, is_autosave = (if_match or posted.one("shown")).strip('"'), posted.one("act") == AUTOSAVE

    def change(draft: GuideDraftRow | None) -> DraftContent:
        if draft is None:
            raise DraftChanged
        changed = _posted_content(draft.read(), posted)
        if str(draft.version) != shown and changed != draft.read():
            raise DraftChanged
        return changed

    try:
        draft = editing.write(change)
    except DraftChanged:
        if is_autosave:
            return JSONResponse({}, DraftChanged.status)
        draft = get_guide_draft(editing.session, editing.guide, editing.language)
        return _texts_page(editing, draft, posted)
    if not is_autosave:
        return lead_to(editing.path)
    remarks = [*map(_remark, check_rendition_draft(editing.session, draft).faults)]
    return JSONResponse(
        {
            "shown": str(draft.version),
            "saved": date_and_time(draft.written_at),
            "faults": [each.words for each in remarks],
            "beside": faults_beside(remarks, {}),
        }
    )


def _posted_content(content: DraftContent, posted: SubmittedForm) -> DraftContent:
    """Cut texts to `MAX_TEXT_LENGTH`. Raise `BadRequest` for a text that no edition can have."""
    texts = {
        name.removeprefix(TEXT): posted.one(name)[:MAX_TEXT_LENGTH] for name in posted.fields if name.startswith(TEXT)
    }
    settled = frozenset(name.removeprefix(SETTLED) for name in posted.fields if name.startswith(SETTLED))
    details: DraftContent = {name: posted.one(name).strip()[:MAX_TEXT_LENGTH] for name in MAKING_FIELDS}
    details[CHECKED_ON] = read_typed_day(details[CHECKED_ON])
    link = {name: posted.one(f"link.{name}").strip()[:MAX_TEXT_LENGTH] for name in LINK_FIELDS}
    try:
        return save_texts(content, texts, settled, details | ({"link": link} if any(link.values()) else {}))
    except (ValueError, TypeError):
        raise BadRequest from None


@router.form("/{guide}/renditions/{language}/move", lambda editing: lead_to(f"{editing.path}/texts"))
def move_rendition_draft(editing: ReviewingDep) -> None:
    """Move the draft to the current edition: mark translations of changed texts, and drop those of missing texts."""
    head = require_current(get_history(editing.session, guide=editing.guide))
    former = get_guide_draft(editing.session, editing.guide, editing.language).read()
    words = move_to(editing.session, head, former)

    def moved(draft: GuideDraftRow | None) -> DraftContent:
        if draft is None or draft.read() != former:
            raise DraftChanged
        return words

    editing.write(moved)


def _texts_page(editing: Editing, draft: GuideDraftRow, mine: SubmittedForm | None = None) -> Response:
    """If `mine` is given, show it beside what is saved, with 412."""
    content = draft.read() if mine is None else _posted_content(draft.read(), mine)
    details = _with_all_details(content)
    remarks = [*map(_remark, check_rendition_draft(editing.session, draft).faults)]
    return editing.page(
        "desk_edit_texts.html",
        status=200 if mine is None else DraftChanged.status,
        guide=editing.guide,
        draft=draft,
        path=editing.path,
        groups=_groups(_pairs(editing, draft, mine)),
        details=details,
        form=RenditionForm(details["form"]),
        makers=(Maker.HUMAN, Maker.MACHINE),
        remarks=remarks,
        beside=faults_beside(remarks, {}),
        is_conflict=mine is not None,
    )


def _with_all_details(content: DraftContent) -> DraftContent:
    """Add every field of `MAKING_FIELDS` and `LINK_FIELDS`, with the day in words."""
    words, _ = read_parts(content)
    link = dict.fromkeys(LINK_FIELDS, "") | words.get("link", {})
    return dict.fromkeys(MAKING_FIELDS, "") | words | {"link": link, CHECKED_ON: shown_day(words.get(CHECKED_ON))}


def _pairs(editing: Editing, draft: GuideDraftRow, mine: SubmittedForm | None = None) -> list[ShownPair]:
    shown = []
    for each in list_pairs(editing.session, draft.guide, draft.read()):
        saved = each.text or each.unsettled or ""
        typed = saved if mine is None else mine.one(f"{TEXT}{each.path}")
        changes = changed_words(each.former, each.original) if each.former is not None else ()
        shown.append(ShownPair(each, typed, changes, saved if typed.strip() != saved.strip() else None))
    return shown


def _groups(pairs: Sequence[ShownPair]) -> list[tuple[str, list[ShownPair]]]:
    """Group the pairs by heading of the section."""
    grouped = groupby(pairs, key=lambda each: EDIT_PAGES.get(each.pair.path.partition("/")[0], ABOUT))
    return [(heading, list(found)) for heading, found in grouped]


def _remark(fault: FieldError) -> Remark:
    """Word the error as the form does. One about a link as a whole belongs to its address."""
    key = str(fault.at[-1]) if fault.at else ""
    where = FIELD_NAMES.get(key)
    is_sentence = fault.detail[:1].isupper() or where is None
    detail = fault.detail if is_sentence else FORMS.get(key, f"Fill in ‘{where}’")
    own = BACKTICKED.sub(lambda found: f"‘{FIELD_NAMES.get(found[1], found[1])}’", detail)
    name = "link.url" if fault.at == ("link",) else ".".join(map(str, fault.at))
    return Remark(f"{where}: {own}" if where and f"‘{where}’" not in own else own, "", name, own)


@router.get(f"/{{guide}}/renditions/{{language}}/{TABLE}.csv")
def read_translation_table(editing: ReviewingDep) -> Response:
    """Return CSV. Raise `NoSuchGuideDraft`, or `NotFound` if the format has no text."""
    content, key, edition = _read_draft(editing)
    pairs = list_pairs(editing.session, editing.guide, content)
    name = f"{editing.guide}-{key.number}-{editing.language}.csv"
    return download(translation_table(pairs, edition, editing.language), name, CSV_MEDIA)


@router.post(f"/{{guide}}/renditions/{{language}}/{TABLE}")
def fill_from_table(editing: ReviewingDep, upload: PostedFileDep) -> Response:
    """Save what the table changes, and show the refused rows. Return 422 if nothing could be taken."""
    former, _, edition = _read_draft(editing)
    try:
        table = read_table(upload.data, editing.language)
    except TableRefused as refusal:
        return rendition_page(editing, faults={TABLE: str(refusal)}, status=422)
    editing.session.close()  # so that the page reads the saved draft again
    outcomes: list[TableOutcome] = []

    def change(draft: GuideDraftRow | None) -> DraftContent:
        if draft is None:
            raise NoSuchGuideDraft
        content = draft.read()
        if content["of"] != former["of"]:
            raise DraftChanged
        outcomes.append(fill_draft(content, edition, table, over_changes=bool(upload.form.one(OVER_CHANGES))))
        return outcomes[-1].content

    editing.write(change)
    outcome = outcomes[-1]
    return rendition_page(editing, outcome=outcome, status=422 if outcome.refused and not outcome.taken else 200)


def _read_draft(editing: Editing) -> tuple[DraftContent, EditionKey, EditionContent]:
    """Return the draft with the edition that it renders. Raise `NoSuchGuideDraft` or `NotFound`."""
    content = get_guide_draft(editing.session, editing.guide, editing.language).read()
    if not RenditionForm(content["form"]).has_words:
        raise NotFound
    key = EditionKey(editing.guide, content["of"]["edition"])
    return content, key, editing.context.contents(key, editing.session)
