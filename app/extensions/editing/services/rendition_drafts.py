"""Drafts of renditions: each text with its translation, and the translations that a newer edition makes out of date."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import func
from sqlmodel import Session, col, select

from app.errors import DraftChanged, FieldError, InvalidRendition
from app.extensions.editing.services.drafts import DraftAct, DraftContent, store_picture, write_guide_draft
from app.extensions.editing.tables import GuideDraftRow
from app.models.base import digest_of
from app.models.guides.edition_keys import EditionKey
from app.models.guides.edition_rows import EditionRow
from app.models.guides.editions import EditionContent
from app.models.guides.renditions import Maker, RenditionContent, word_fields
from app.models.guides.sections import ITEM_LISTS
from app.models.guides.seed_files import reason_of
from app.models.languages import RenditionForm
from app.services.guides.editions import IS_GONE, IS_RENDITION, EditionHead, StoredRendition, read_content
from app.services.guides.pictures import size_of_picture
from app.services.guides.renditions import require_sound

TextPath = str
"""Path such as `title`, or `indicators/secrecy/text`."""
UNSETTLED = "unsettled"
"""Key of translations whose original has changed, and which nobody has compared with the new text."""
LIMBS = "limbs"
CHECKED = ("checked_by", "checked_on")
PICTURES = "pictures"
TRANSLATED_FIELDS = frozenset({"title", "applies_to", "introductions", *ITEM_LISTS})


@dataclass(frozen=True)
class Unsettled:
    """A translation to check again. `edition` had the text that it translates."""

    edition: int
    text: str


@dataclass(frozen=True)
class TextPair:
    """A text and its translation. `former` is a changed text as it was, with its `unsettled` translation."""

    path: TextPath
    original: str
    text: str
    unsettled: str | None = None
    former: str | None = None


@dataclass(frozen=True)
class ItemPicture:
    """A posted picture. If `data` is None, the former one stays; `is_removed` takes it away."""

    item: str
    alt: str
    data: bytes | None = None
    is_removed: bool = False


@dataclass(frozen=True)
class CheckedRendition:
    """A checked draft. `content` is None if it has any error."""

    draft: GuideDraftRow
    content: RenditionContent | None
    faults: tuple[FieldError, ...]
    follows: int
    """The edition that it renders."""

    def require_sound(self) -> tuple[RenditionContent, str]:
        """Return content and digest. Raise `InvalidRendition` with every error."""
        if self.content is None:
            raise InvalidRendition(self.faults)
        return self.content, digest_of(self.content)


def check_rendition_draft(session: Session, draft: GuideDraftRow) -> CheckedRendition:
    """Compare with edition and stored pictures only if every field is valid. Raise `NoSuchGuide`."""
    words, _ = read_parts(draft.read())
    follows = int(words["of"]["edition"])
    try:
        content = RenditionContent.model_validate(words)
        require_sound(session, draft.guide, content)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        faults = tuple(FieldError(tuple(each["loc"]), reason_of(each)) for each in found)
        return CheckedRendition(draft, None, faults, follows)
    except InvalidRendition as refusal:
        return CheckedRendition(draft, None, tuple(refusal.faults), follows)
    return CheckedRendition(draft, content, (), follows)


def texts_of(content: EditionContent | RenditionContent) -> dict[TextPath, str]:
    """Return the texts by path, in order, without None."""
    return {path: text for path, text in _every_text(content) if text is not None}


def _every_text(content: EditionContent | RenditionContent) -> Iterator[tuple[TextPath, str | None]]:
    yield "title", content.title
    yield "applies_to", content.applies_to
    yield from ((f"introductions/{name}", text) for name, text in dict(content.introductions).items())
    for key, entry in ITEM_LISTS.items():
        for item in getattr(content, key):
            yield from ((f"{key}/{item.id}/{name}", getattr(item, name)) for name in word_fields(entry.item))
            yield from ((f"{key}/{item.id}/{LIMBS}/{limb.label}", limb.text) for limb in getattr(item, LIMBS, ()))


def read_parts(content: DraftContent) -> tuple[DraftContent, dict[TextPath, Unsettled]]:
    """Return the content without its unsettled translations, and these by path."""
    words = {name: value for name, value in content.items() if name != UNSETTLED}
    return words, {path: Unsettled(*each) for path, each in content.get(UNSETTLED, {}).items()}


def begin_rendition(head: EditionHead, language: str, form: RenditionForm) -> DraftContent:
    """Begin a rendition without any text."""
    of = {"edition": head.number, "digest": head.digest}
    return {"language": language, "form": form.value, "of": of, "made_by": Maker.HUMAN.value}


def continue_rendition(session: Session, head: EditionHead, stored: StoredRendition) -> DraftContent:
    """Begin from a published rendition. Translations of changed texts become unsettled, and its checker is left out."""
    own = stored.content.model_dump(mode="json", exclude=set(CHECKED), exclude_defaults=True)
    return move_to(session, head, own)


def move_to(session: Session, head: EditionHead, content: DraftContent) -> DraftContent:
    """Move to the edition `head`. Texts that differ become unsettled, and those it does not have are left out."""
    words, unsettled = read_parts(content)
    number = words["of"]["edition"]
    old = texts_of(read_content(session, EditionKey(head.guide, number)))
    new, own = texts_of(read_content(session, head.key)), own_texts(words)
    items = {item_of(path) for path in new}
    if PICTURES in words:
        words[PICTURES] = [each for each in words[PICTURES] if each["item"] in items]
    kept = {path: text for path, text in own.items() if path in new and new[path] == old.get(path)}
    waiting = {path: Unsettled(number, text) for path, text in own.items() if path in new and path not in kept}
    waiting |= {path: each for path, each in unsettled.items() if path in new and path not in kept}
    moved = words | {"of": {"edition": head.number, "digest": head.digest}}
    return _with_texts(moved, kept, waiting)


def _with_texts(
    words: DraftContent, texts: Mapping[TextPath, str], unsettled: Mapping[TextPath, Unsettled]
) -> DraftContent:
    """Replace all translations by `words`."""
    content = {name: value for name, value in words.items() if name not in TRANSLATED_FIELDS}
    items: dict[tuple[str, str], DraftContent] = {}
    for path, text in texts.items():
        head, *rest = path.split("/", 2)
        if not rest:
            content[head] = text
        elif len(rest) == 1:
            content.setdefault(head, {})[rest[0]] = text
        else:
            item = items.setdefault((head, rest[0]), {"id": rest[0]})
            field, _, label = rest[1].partition("/")
            if field == LIMBS:
                item.setdefault(LIMBS, []).append({"label": label, "text": text})
            else:
                item[field] = text
    for (key, _), item in items.items():
        content.setdefault(key, []).append(item)
    waiting = {path: [each.edition, each.text] for path, each in unsettled.items()}
    return content | ({UNSETTLED: waiting} if waiting else {})


def list_pairs(session: Session, guide: str, content: DraftContent) -> list[TextPair]:
    """Return the pairs in the edition's order."""
    words, unsettled = read_parts(content)
    original = texts_of(read_content(session, EditionKey(guide, words["of"]["edition"])))
    own = own_texts(words)
    former = {
        number: texts_of(read_content(session, EditionKey(guide, number)))
        for number in {each.edition for each in unsettled.values()}
    }
    return [
        TextPair(path, text, own.get(path, ""))
        if path not in unsettled
        else TextPair(
            path,
            text,
            own.get(path, ""),
            unsettled[path].text,
            former[unsettled[path].edition].get(path, ""),
        )
        for path, text in original.items()
    ]


def save_texts(
    content: DraftContent, texts: Mapping[TextPath, str], settled: frozenset[TextPath], details: DraftContent
) -> DraftContent:
    """Replace all translations by `texts`, and all fields except language, format, edition and pictures by `details`.

    An empty text deletes a settled translation. An unsettled translation stays as it is if its text is empty or
    unchanged and its path is not in `settled`. Raise `ValueError` or `TypeError` for an impossible path.
    """
    words, unsettled = read_parts(content)
    waiting = {
        path: each
        for path, each in unsettled.items()
        if path not in settled and texts.get(path, "").strip() in ("", each.text.strip())
    }
    kept = {path: text for path, text in texts.items() if text.strip() and path not in waiting}
    if not {path.partition("/")[0] for path in kept} <= TRANSLATED_FIELDS:
        raise ValueError
    own = {name: words[name] for name in ("language", "form", "of", PICTURES) if name in words}
    saved = _with_texts(own | {name: value for name, value in details.items() if value}, kept, waiting)
    own_texts(saved)  # a draft that cannot be read again is not saved
    return saved


def item_of(path: TextPath) -> str:
    """Return `indicators/secrecy` for `indicators/secrecy/text`."""
    return "/".join(path.split("/")[:2])


def find_item_picture(content: DraftContent, item: str) -> DraftContent | None:
    return next((each for each in content.get(PICTURES, ()) if each["item"] == item), None)


def save_item_picture(
    session: Session, act: DraftAct, picture: ItemPicture, *, former: DraftContent | None
) -> GuideDraftRow:
    """Record it.

    `former` is what the person saw: raise `DraftChanged` if there is another by now, or as `DraftAct.known_draft`.
    """
    content = act.known_draft(session).read()
    if find_item_picture(content, picture.item) != former:
        raise DraftChanged
    if picture.data is not None:
        width, height = size_of_picture(picture.data) or (0, 0)
        digest = store_picture(session, picture.data)
        former = {"item": picture.item, "digest": digest, "width": width, "height": height}
    own = [] if former is None or picture.is_removed else [former | {"alt": picture.alt}]
    others = [each for each in content.get(PICTURES, ()) if each["item"] != picture.item]
    changed = content | {PICTURES: others + own}
    return write_guide_draft(session, act, lambda _draft: changed)


def take_texts(content: DraftContent, taken: Mapping[TextPath, str], order: Iterable[TextPath]) -> DraftContent:
    """Replace the translations at the paths `taken`, and leave others. `order` has every path.

    The name of the person who checked it is removed: somebody must check the new text.
    """
    if not taken:
        return content
    words, unsettled = read_parts(content)
    texts = {**own_texts(words), **taken}
    details = {name: value for name, value in words.items() if name not in CHECKED}
    waiting = {path: each for path, each in unsettled.items() if path not in taken}
    return _with_texts(details, {path: texts[path] for path in order if path in texts}, waiting)


def own_texts(words: DraftContent) -> dict[TextPath, str]:
    """Return the settled translations by path. Raise pydantic's `ValidationError` for an invalid one or `of`."""
    details = {"language": "cy", "form": RenditionForm.TRANSLATION, "made_by": Maker.HUMAN}
    texts = {name: words[name] for name in words.keys() & TRANSLATED_FIELDS}
    return texts_of(RenditionContent.model_validate(texts | {"of": words["of"]} | details))


def list_languages_behind(session: Session, current: Mapping[str, int]) -> dict[str, list[str]]:
    """By guide, the sorted languages whose rendition to read is of another edition than the `current` one.

    The rendition of the latest edition in each language and format counts. What is withdrawn, or of a withdrawn
    edition, does not.
    """
    place = (EditionRow.guide, EditionRow.language)
    last_rendered = select(*place, func.max(EditionRow.edition)).where(IS_RENDITION, ~IS_GONE)
    last_rendered = last_rendered.group_by(*place, col(EditionRow.details)["form"].as_string()).order_by(*place)
    behind: dict[str, list[str]] = {}
    for guide, language, edition in session.exec(last_rendered):
        if edition != current.get(guide, edition) and language not in behind.setdefault(guide, []):
            behind[guide].append(language)
    return behind
