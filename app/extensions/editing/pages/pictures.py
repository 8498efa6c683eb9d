"""Pictures of renditions in simple words: the form with a picture for each item, and the pictures themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from fastapi import Response

from app.errors import DraftChanged, NoSuchItem, NotFound, ValidationFailed
from app.extensions.editing import PAGES, PICTURE_PATH
from app.extensions.editing.pages.draft_requests import NO_FAULTS, Editing, EditorVisitDep, ReviewingDep
from app.extensions.editing.pages.edit_posts import EDIT_PAGES
from app.extensions.editing.pages.posted_files import PostedFile, PostedFileDep
from app.extensions.editing.services.drafts import DraftContent, get_guide_draft
from app.extensions.editing.services.rendition_drafts import (
    ItemPicture,
    find_item_picture,
    item_of,
    list_pairs,
    save_item_picture,
)
from app.extensions.editing.services.uploads import (
    MAX_UPLOAD_BYTES,
    DocumentRefused,
    read_uploaded_picture,
    reads_pictures,
)
from app.extensions.editing.tables import GuideDraftRow
from app.http.context import SessionDep
from app.models.guides.sections import Section
from app.models.languages import RenditionForm
from app.pages.frame import DeskRouter, lead_to
from app.pages.guides.guides import PictureName
from app.pages.posted_forms import SubmittedForm
from app.services.guides.pictures import ANY_DIGEST, MEDIA_TYPE, read_picture

router = DeskRouter(PAGES)
MAX_ALT = 300
PICTURED = frozenset(section.key for section in Section)
"""Lists whose items may have pictures; cautions may not."""
TOO_LARGE = (
    "The picture is larger than 1.8 MB. Save it with fewer pixels, such as 1600 in width, or take a screenshot of it, "
    "and choose that"
)
NO_PICTURE = "Choose a picture"
NO_ALT = "Describe the picture for people who cannot see it"
CHANGED = "Someone else changed this picture. Theirs is shown. Yours was not saved"


@dataclass(frozen=True)
class PicturedItem:
    """`text` is in simple words, or the guide's own. `typed` is a refused description, or the saved one."""

    number: int
    path: str
    text: str
    picture: DraftContent | None
    typed: str

    @property
    def shown(self) -> str:
        """Return the tag that the form sends back, so that changes by others are noticed."""
        return "" if self.picture is None else f"{self.picture['digest']} {self.picture['alt']}"


@router.get("/{guide}/renditions/{language}/pictures/{picture}.jpg")
def read_draft_picture(editing: ReviewingDep, picture: PictureName) -> Response:
    """Find the picture by its SHA-256. Raise `NoSuchGuideDraft` or `NotFound`."""
    draft, digest = get_guide_draft(editing.session, editing.guide, editing.language), f"sha256:{picture}"
    if digest not in ANY_DIGEST.findall(draft.content):
        raise NotFound
    return Response(read_picture(editing.session, digest), media_type=MEDIA_TYPE)


@router.get("/{guide}/renditions/{language}/pictures")
def read_pictures_page(editing: ReviewingDep) -> Response:
    """Raise `NoSuchGuideDraft`, or `NotFound` if it is not in simple words."""
    return _pictures_page(editing)


@router.post("/picture")
def save_posted_picture(session: SessionDep, visit: EditorVisitDep, upload: PostedFileDep) -> Response:
    """Save or remove an item's picture: 422 if refused, 412 if changed since.

    Raise `NoSuchItem`, `NoSuchGuideDraft`, or `NotFound` if it is not in simple words.
    """
    form = upload.form
    editing = Editing(**vars(visit), session=session, guide=form.one("guide"), language=form.one("language"))
    items = _items_of(editing, _pictured_draft(editing))
    item = next((each for each in items if each.path == form.one("item")), None)
    if item is None:
        raise NoSuchItem
    try:
        if item.shown != form.one("shown"):
            raise DraftChanged
        session.close()  # a file may wait for a minute, and a connection would wait with it
        picture = _posted_picture(upload, item)
        editing.context.writer.run(save_item_picture, editing.anyhow(), picture, former=item.picture)
    except DraftChanged:
        return _pictures_page(editing, {item.path: CHANGED}, status=DraftChanged.status)
    except DocumentRefused as refusal:
        return _pictures_page(editing, {item.path: str(refusal)}, status=ValidationFailed.status, posted=form)
    return lead_to(f"{editing.path}/pictures#{item.path}")


def _posted_picture(upload: PostedFile, item: PicturedItem) -> ItemPicture:
    """If only a description is posted, keep the saved picture. Raise `DocumentRefused`."""
    form, alt = upload.form, upload.form.one("alt").strip()[:MAX_ALT]
    if form.one("act") == "remove":
        return ItemPicture(item.path, alt, is_removed=True)
    if not upload.data and item.picture is None:
        raise DocumentRefused(NO_PICTURE)
    if len(upload.data) > MAX_UPLOAD_BYTES:
        raise DocumentRefused(TOO_LARGE)
    if not alt:
        raise DocumentRefused(NO_ALT)
    return ItemPicture(item.path, alt, read_uploaded_picture(upload.data) if upload.data else None)


def _pictured_draft(editing: Editing) -> GuideDraftRow:
    """Raise `NoSuchGuideDraft`, or `NotFound` if it is not in simple words."""
    draft = get_guide_draft(editing.session, editing.guide, editing.language)
    if draft.read().get("form") != RenditionForm.EASY_READ:
        raise NotFound
    return draft


def _items_of(editing: Editing, draft: GuideDraftRow, posted: SubmittedForm | None = None) -> list[PicturedItem]:
    """`posted` is a refused form."""
    content = draft.read()
    found: list[PicturedItem] = []
    for path, pairs in groupby(list_pairs(editing.session, draft.guide, content), lambda pair: item_of(pair.path)):
        if path.partition("/")[0] in PICTURED:
            texts = [each.text or each.original for each in pairs]
            picture = find_item_picture(content, path)
            is_posted = posted is not None and posted.one("item") == path
            typed = posted.one("alt") if posted is not None and is_posted else (picture or {}).get("alt", "")
            found.append(
                PicturedItem(
                    len(found) + 1, path, ": ".join(each.removesuffix(":") for each in texts[:2]), picture, typed
                )
            )
    return found


def _pictures_page(
    editing: Editing,
    faults: Mapping[str, str] = NO_FAULTS,
    *,
    status: int = 200,
    posted: SubmittedForm | None = None,
) -> Response:
    """`faults` are by item. Raise as `_pictured_draft`."""
    draft = _pictured_draft(editing)
    items = _items_of(editing, draft, posted)
    groups = groupby(items, lambda item: EDIT_PAGES[item.path.partition("/")[0]])
    return editing.page(
        "desk_edit_pictures.html",
        status=status,
        draft=draft,
        path=editing.path,
        action=PICTURE_PATH,
        groups=[(heading, list(found)) for heading, found in groups],
        faults=dict(faults),
        reads_pictures=reads_pictures(),
        largest=MAX_UPLOAD_BYTES,
        too_large=TOO_LARGE,
        max_alt=MAX_ALT,
    )
