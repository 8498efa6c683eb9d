"""The table for translators on the page of a rendition's draft: the download, and the upload of the filled table."""

from fastapi import Response

from app.errors import DraftChanged, NoSuchGuideDraft, NotFound
from app.extensions.editing.pages.edit_renditions import rendition_page
from app.extensions.editing.pages.editing import Editing, ReviewingDep
from app.extensions.editing.services.drafts import DraftContent, get_guide_draft
from app.extensions.editing.services.rendition_drafts import list_pairs
from app.extensions.editing.services.translation_tables import (
    TableOutcome,
    TableRefused,
    fill_draft,
    read_table,
    translation_table,
)
from app.extensions.editing.tables import GuideDraftRow
from app.models.guides.edition_keys import EditionKey
from app.models.guides.editions import EditionContent
from app.models.languages import RenditionForm
from app.pages.frame import AS_FILE, DeskRouter
from app.pages.posted_forms import UploadDep
from app.services.access.sign_in import GUIDES_PATH
from app.services.csv_sheets import CSV_MEDIA

router = DeskRouter(GUIDES_PATH)
TABLE = "table"
"""The field with the table, and the last part of its path."""
OVER_CHANGES = "over"


@router.get(f"/{{guide}}/renditions/{{language}}/{TABLE}.csv")
def read_translation_table(editing: ReviewingDep) -> Response:
    """As CSV. Raise `NoSuchGuideDraft`, or `NotFound` if the format has no text."""
    content, key, edition = _read_draft(editing)
    pairs = list_pairs(editing.session, editing.guide, content)
    name = f"{editing.guide}-{key.number}-{editing.language}.csv"
    headers = {"Content-Disposition": AS_FILE.format(name)}
    return Response(translation_table(pairs, edition, editing.language), media_type=CSV_MEDIA, headers=headers)


@router.post(f"/{{guide}}/renditions/{{language}}/{TABLE}")
def fill_from_table(editing: ReviewingDep, upload: UploadDep) -> Response:
    """Save what the table changes, and show refused rows; an unreadable table, or no row taken, is 422.

    Raise `NoSuchGuideDraft`, `NotFound` if the format has no text, or `DraftChanged` if it was moved to another
    edition.
    """
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
    """With the edition that it renders. Raise `NoSuchGuideDraft` or `NotFound`."""
    content = get_guide_draft(editing.session, editing.guide, editing.language).read()
    if not RenditionForm(content["form"]).has_words:
        raise NotFound
    key = EditionKey(editing.guide, content["of"]["edition"])
    return content, key, editing.context.contents(key, editing.session)
