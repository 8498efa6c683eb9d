"""Pages that begin a draft from a document, and on which an editor puts the remaining passages into the draft.

A passage of the document is unplaced if this service could not tell where in the draft the passage belongs.
"""

import hashlib
from pathlib import PurePath

from fastapi import Response

from app.errors import DraftChanged, NoSuchGuideDraft
from app.extensions.editing import PAGES
from app.extensions.editing.pages.draft_requests import Editing, EditingDep, EditorVisitDep
from app.extensions.editing.pages.drafts import MAX_TITLE, TAKEN, all_forms, guides_page
from app.extensions.editing.pages.edit_fields import FIELD_LABELS
from app.extensions.editing.pages.edit_posts import EDIT_PAGES, filled, with_ids
from app.extensions.editing.pages.posted_files import PostedFile, PostedFileDep
from app.extensions.editing.services.drafts import DraftContent, find_guide_draft, get_guide_draft, keep_unplaced
from app.extensions.editing.services.placed_lines import INTRODUCTIONS, LEFT_OUT, place_line, with_former_items
from app.extensions.editing.services.uploads import MAX_UPLOAD_BYTES, DocumentRefused, UploadedDraft, read_upload
from app.extensions.editing.tables import GuideDraftRow
from app.http.context import SessionDep
from app.models.guides.proposed_ids import propose_id
from app.models.guides.sections import ITEM_LISTS, Introductions
from app.pages.frame import DeskRouter, lead_to
from app.pages.posted_forms import SubmittedForm, SubmittedFormDep
from app.services.guides.editions import find_history

router = DeskRouter(PAGES)
PASTED = "pasted.txt"
MAX_FILE_NAME = 100
NO_DOCUMENT = "Choose a document, or paste its text"
TOO_LARGE = "The document is larger than 1.8 MB. Remove its pictures, which are not used, and try again"
NOT_PUBLISHED = "This guide is not published. Choose a guide from the list, or a new guide"
HAS_DRAFT = "This guide has a draft already. Open that draft, or delete it first"
PLACES: dict[str, str] = {
    **{key: heading for key, heading in EDIT_PAGES.items() if key in ITEM_LISTS},
    **{key: FIELD_LABELS.get(key, key.capitalize()) for key in ("publisher", "review_by", "owner", "applies_to")},
    **{f"{INTRODUCTIONS}{key}": FIELD_LABELS[key] for key in Introductions.model_fields},
}
"""Each list or field where a passage can go, with its label in the form."""
TO_PUT = "put:"


@router.post("/document")
def begin_from_document(session: SessionDep, visit: EditorVisitDep, upload: PostedFileDep) -> Response:
    """Start a draft from a document or text, and lead to its unplaced passages, or to the draft.

    Without a guide in the form it is a new one, named by the title. The list of guides shows a refusal (422): no
    readable document, a draft already, an unpublished guide, a taken name. Raise `DraftChanged` if another starts one
    at the same time.
    """
    session.close()  # a file may wait for a minute, and a connection would wait with it
    try:
        document = _read_document(upload)
        guide = upload.form.one("guide") or propose_id(document.content["title"][:MAX_TITLE])
        editing = Editing(**vars(visit), session=session, guide=guide)
        _require_free(editing, is_new=not upload.form.one("guide"))
    except DocumentRefused as refusal:
        return guides_page(visit, session, {"document": str(refusal)}, status=422, posted=upload.form)
    _begin(editing, document)
    return lead_to(f"{editing.path}/unplaced" if document.unplaced else editing.path)


def _read_document(upload: PostedFile) -> UploadedDraft:
    text = upload.form.one("text")
    name, data = (upload.name, upload.data) if upload.data else (PASTED, text.encode())
    if not data.strip():
        raise DocumentRefused(NO_DOCUMENT)
    if len(data) > MAX_UPLOAD_BYTES:
        raise DocumentRefused(TOO_LARGE)
    return read_upload(PurePath(name.replace("\\", "/")).name[-MAX_FILE_NAME:], data)


def _require_free(editing: Editing, *, is_new: bool) -> None:
    """Raise `DocumentRefused` for a draft, or an edition that is there or missing against `is_new`."""
    if find_guide_draft(editing.session, editing.guide) is not None:
        raise DocumentRefused(HAS_DRAFT)
    if is_new == bool(find_history(editing.session, guide=editing.guide)):
        raise DocumentRefused(TAKEN.format(editing.guide) if is_new else NOT_PUBLISHED)


def _begin(editing: Editing, document: UploadedDraft) -> None:
    content = with_former_items(filled(document.content), editing.initial_content())
    if "source" in content:
        content["source"] = {"publisher": content.get("publisher", {}).get("name")} | content["source"]
    for key in ITEM_LISTS:
        with_ids(content, key, {}, editing.current)
    if editing.current is not None:
        content.pop("change_note", None)

    def begun(draft: GuideDraftRow | None) -> DraftContent:
        if draft is not None:
            raise DraftChanged
        return content

    editing.write(begun, unplaced=lambda _draft: document.unplaced)


@router.get("/{guide}/unplaced")
def read_unplaced(editing: EditingDep) -> Response:
    """Raise `NoSuchGuideDraft`."""
    draft = get_guide_draft(editing.session, editing.guide)
    return editing.page(
        "desk_edit_unplaced.html",
        draft=draft,
        lines=[(_name_of(line), line, origin) for line, origin in draft.read_unplaced().items()],
        places=PLACES,
        left_out=LEFT_OUT,
        forms=all_forms(draft.read()),
        pages=EDIT_PAGES,
    )


@router.post("/{guide}/unplaced")
def place_lines_on_page(editing: EditingDep, posted: SubmittedFormDep) -> Response:
    """Put each passage where the person chose, or drop it. Passages that others have placed are ignored.

    Raise `NoSuchGuideDraft`.
    """
    current = editing.current

    def change(draft: GuideDraftRow | None) -> DraftContent:
        if draft is None:
            raise NoSuchGuideDraft
        content = draft.read()
        for line, target in _chosen(draft, posted):
            place_line(content, target, line)
        for key in ITEM_LISTS:
            with_ids(content, key, draft.read(), current)
        return content

    def rest(draft: GuideDraftRow | None) -> dict[str, str]:
        placed = {line for line, _ in _chosen(draft, posted)}
        return {line: origin for line, origin in keep_unplaced(draft).items() if line not in placed}

    saved = editing.write(change, unplaced=rest)
    return lead_to(f"{editing.path}/unplaced" if saved.read_unplaced() else editing.path)


def _chosen(draft: GuideDraftRow | None, posted: SubmittedForm) -> list[tuple[str, str]]:
    """Return each chosen line with its place or `LEFT_OUT`."""
    chosen = ((line, posted.one(_name_of(line))) for line in keep_unplaced(draft))
    return [(line, target) for line, target in chosen if target in PLACES or target == LEFT_OUT]


def _name_of(line: str) -> str:
    """Derive the name from the text only: it stays the same if another person places other passages."""
    return f"{TO_PUT}{hashlib.sha256(line.encode()).hexdigest()[:16]}"
