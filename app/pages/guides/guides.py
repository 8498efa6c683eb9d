"""Pages of guidance: the home page, lists of guides, editions and their changes, and renditions.

Other pages with fixed texts are here too: the privacy notice, the accessibility statement, and the page about traces.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, pairwise
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from sqlmodel import Session

from app.build import VERSION
from app.errors import FaultCode, FieldError, InvalidQuery, NotFound
from app.http.auth import PUBLIC
from app.http.context import SessionDep
from app.http.params import EditionNumber, GuideName, LanguageName, RenditionKeyDep, RenditionNumber
from app.http.responses import CACHE_CHECKED, CACHE_IMMUTABLE, conditional_response
from app.models.base import MAX_NUMBER
from app.models.guides.editions import EditionContent
from app.models.guides.rendered import RenderedWords
from app.models.guides.sections import ITEM_LISTS, ON_PAGES, Section
from app.models.languages import RenditionForm, direction_of, own_name_of
from app.models.links import edition_path, guide_path, rendition_page_path, rendition_path
from app.pages.accessibility import find_last_run
from app.pages.error_pages import PageRouter
from app.pages.guides.change_words import DETAILS, describe_changes
from app.pages.languages import ENGLISH, LANGUAGES, current_language, english, to_translate
from app.pages.page import Site, SiteDep
from app.services.guides.editions import (
    EditionHead,
    StoredRendition,
    current_of,
    get_history,
    list_readable_renditions,
    list_renditions,
    readable_of,
    require_current,
    status_of,
)
from app.services.guides.guides import ListedGuide, group_by_subject, list_guides
from app.services.guides.pdf import is_printable, pdf_available
from app.services.guides.pictures import MEDIA_TYPE, read_picture
from app.services.guides.printed_words import PRINTED_HEADINGS
from app.services.guides.renditions import (
    chosen_rendition,
    content_language,
    current_renditions,
    is_of_former_edition,
    latest_renditions,
    rendered_words,
)
from app.services.guides.structured_data import structured_data

router = PageRouter(dependencies=[PUBLIC])
MAX_CARDS = 8
"""Above this number of guides, the home page links to subjects instead."""
MAX_LINKS = 60
"""Above this number of guides, a page lists one subject or letter."""
Letter = Annotated[str | None, Query(pattern="^[A-Z0]$", description="Letter of the index to show.")]
SubjectCode = Annotated[str, Path(max_length=80)]
PictureName = Annotated[str, Path(pattern="^[0-9a-f]{64}$", max_length=64)]
FORM_LABELS = {
    RenditionForm.TRANSLATION: to_translate("Translation"),
    RenditionForm.EASY_READ: to_translate("In simple words"),
    RenditionForm.LARGE_PRINT: to_translate("Large print"),
    RenditionForm.BSL_VIDEO: to_translate("British Sign Language"),
    RenditionForm.AUDIO: to_translate("Listen to the guide"),
}
WANTED_FORMS = {
    RenditionForm.EASY_READ: (
        to_translate("No guide has a version in simple words yet."),
        to_translate("Some guides have no version in simple words yet."),
    ),
    RenditionForm.BSL_VIDEO: (
        to_translate("No guide has a version in British Sign Language yet."),
        to_translate("Some guides have no version in British Sign Language yet."),
    ),
}
"""Sentences of the accessibility statement: no guide, or only some guides, have the format."""
OTHER_FORMS = {"": "application/json", ".md": "text/markdown", ".pdf": "application/pdf"}
"""Media type of each format, by the suffix of its path in the API."""
Since = Annotated[int | None, Query(ge=1, le=MAX_NUMBER, description="The edition to compare with.")]
ALWAYS_OWN = ("/change_note", "/cautions/")
"""JSON Pointers of texts that every rendition shows in the guide's language. They do not count as untranslated."""
IN_GUIDE_LANGUAGE = Markup(' lang="en" dir="ltr"')


@router.get("/")
def read_home(site: SiteDep, session: SessionDep) -> Response:
    guides = list_guides(session, site.context.reference_data)
    return site.cached_page(
        "home.html",
        guides=guides,
        groups=group_by_subject(guides, site.context.reference_data) if len(guides) > MAX_CARDS else [],
        links_guides=len(guides) <= MAX_LINKS,
        names_publishers=names_publishers(guides),
    )


@router.get("/guides")
def read_guide_list(site: SiteDep, session: SessionDep, letter: Letter = None) -> Response:
    """Above `MAX_LINKS`, show the first letter by default. Raise `NotFound` for a letter without guides."""
    guides = list_guides(session, site.context.reference_data)
    by_letter = {key: list(found) for key, found in groupby(guides, key=lambda each: each.letter)}
    if letter is not None and letter not in by_letter:
        raise NotFound
    shown = by_letter
    if letter is not None or len(guides) > MAX_LINKS:
        first = letter or next(iter(by_letter))
        shown = {first: by_letter[first]}
    return site.cached_page(
        "guides.html",
        letters=list(by_letter),
        shown=shown,
        names_publishers=names_publishers(guides),
    )


@router.get("/subjects/{subject}")
def read_subject(site: SiteDep, session: SessionDep, subject: SubjectCode) -> Response:
    """The subject `other` has the guides without a subject. Raise `NotFound` if it has no guides."""
    guides = list_guides(session, site.context.reference_data)
    found = {
        code.code if code else "other": (code, of_it)
        for code, of_it in group_by_subject(guides, site.context.reference_data)
    }
    if subject not in found:
        raise NotFound
    code, of_it = found[subject]
    return site.cached_page(
        "subject.html",
        code=code,
        guides=of_it,
        names_publishers=names_publishers(guides),
    )


def names_publishers(guides: Sequence[ListedGuide]) -> bool:
    """Return True if there is more than one publisher."""
    return len({each.publisher for each in guides}) > 1


def _links_of_renditions(renditions: Sequence[StoredRendition]) -> list[dict[str, str | None]]:
    """Return the links. `own_name` is the name of a translation's language in that language."""
    first = {each.key.language: each for each in reversed(renditions)}
    return [
        {
            "path": _page_of_rendition(each, is_numbered=each != first[each.key.language]),
            "language": each.key.language,
            "dir": direction_of(each.key.language),
            "label": FORM_LABELS[each.form],
            "own_name": own_name_of(each.key.language) if each.form is RenditionForm.TRANSLATION else None,
        }
        for each in renditions
    ]


def _page_of_rendition(rendition: StoredRendition, *, is_numbered: bool) -> str:
    """Return a path in the rendition's language, if pages have it. A second format in a language needs the number."""
    language = next((each for each in LANGUAGES if each.tag == rendition.key.language), current_language())
    guide, tag, number = rendition.key
    return f"{language.prefix}{rendition_page_path(guide, tag, number if is_numbered else None)}"


@router.get("/who-can-help")
@router.get("/covering-your-tracks")
@router.get("/privacy")
def read_fixed_page(site: SiteDep) -> Response:
    """Show a page whose template is named after its path."""
    return site.cached_page(f"{str(site.request.scope['path'])[1:].replace('-', '_')}.html")


@router.get("/accessibility")
def read_accessibility_statement(site: SiteDep, session: SessionDep) -> Response:
    """List the formats that published guides have."""
    guides, renditions = list_guides(session, site.context.reference_data), list_readable_renditions(session)
    forms: dict[RenditionForm, list[dict[str, str | None]]] = {}
    for guide in guides:
        found = latest_renditions(renditions.get(guide.guide, ()))
        for rendition, link in zip(found, _links_of_renditions(found), strict=True):
            forms.setdefault(rendition.form, []).append(link | {"title": guide.title, "guide": guide.guide})
    lacking = [
        none_has if not forms.get(form) else not_all_have
        for form, (none_has, not_all_have) in WANTED_FORMS.items()
        if len({each["guide"] for each in forms.get(form, ())}) < len(guides)
    ]
    return site.cached_page(
        "accessibility.html",
        version=VERSION,
        tested_on=find_last_run(),
        forms=[(FORM_LABELS[form], forms[form]) for form in RenditionForm if form in forms],
        lacking=lacking,
        pdf_available=pdf_available(),
    )


@router.get("/guides/{guide}")
def read_guide_page(site: SiteDep, session: SessionDep, guide: GuideName) -> Response:
    """Show a guide, by preference a rendition with text in the request's language.

    Raise `NoSuchGuide` or `EditionWithdrawn`.
    """
    history = get_history(session, guide=guide)
    head = require_current(history)
    content = site.context.contents(head.key, session)
    renditions = current_renditions(history, list_renditions(session, guide=guide))
    language = current_language()
    if language != ENGLISH and any(each.key.language == language.tag and each.form.has_words for each in renditions):
        return _rendition_page(site, session, guide, language.tag, None)
    return _edition_page(site, history, head, content, renditions)


@router.get("/guides/{guide}/editions/{number}")
def read_edition_page(site: SiteDep, session: SessionDep, guide: GuideName, number: EditionNumber) -> Response:
    """Show an edition. Raise `NoSuchGuide`, `NoSuchEdition` or `EditionWithdrawn`."""
    history = get_history(session, guide=guide)
    head = readable_of(history, number)
    content = site.context.contents(head.key, session)
    return _edition_page(site, history, head, content)


@router.get("/guides/{guide}/editions/{number}/changes")
def read_changes_page(
    *, site: SiteDep, session: SessionDep, guide: GuideName, number: EditionNumber, since: Since = None
) -> Response:
    """Show what changed. `since` is by default the last edition before that is not withdrawn.

    Raise `InvalidQuery` if both are the same, `NoSuchGuide`, `NoSuchEdition` or `EditionWithdrawn`.
    """
    history = get_history(session, guide=guide)
    since = since or next((each.number for each in _readable(history) if each.number < number), number)
    head, other = readable_of(history, number), readable_of(history, since)
    if head.number == other.number:
        raise InvalidQuery([FieldError((), "Compare it with another edition.", FaultCode.INVALID, "query", "since")])
    before, after = site.context.contents(other.key, session), site.context.contents(head.key, session)
    changes = describe_changes(before, after)
    return site.cached_page(
        "changes.html",
        head=head,
        since=other,
        after=after,
        field_changes=changes.pop(DETAILS, ()),
        section_changes={ITEM_LISTS[key].heading: found for key, found in changes.items()},
        others=[each for each in _readable(history) if each.number not in (number, since)],
    )


def _edition_page(
    site: Site,
    history: list[EditionHead],
    head: EditionHead,
    content: EditionContent,
    renditions: Sequence[StoredRendition] | None = None,
) -> Response:
    """With `renditions`, return the page of the guide, which does not show the edition's number."""
    return site.cached_page(
        "guide.html",
        **edition_values(head, content, history),
        who=site.context.submissions.resolver.pin(head.key).who,
        status=status_of(head, history),
        current=current_of(history),
        shows_number=renditions is None,
        tables=[section.value for section in Section],
        api=edition_path(*head.key) if renditions is None else guide_path(head.guide),
        alternates=OTHER_FORMS,
        structured_data=structured_data(head, content, site.context.settings.public_url),
        pdf_available=pdf_available(),
        renditions=_links_of_renditions(renditions or ()),
    )


def edition_values(head: EditionHead, content: EditionContent, history: list[EditionHead]) -> dict[str, Any]:
    """Return the template variables of editions and drafts. `history` is empty for a draft."""
    previous = {newer.number: older.number for newer, older in pairwise(_readable(history))}
    return {
        "head": head,
        "content": content,
        "words": lambda *_pointer: english(),  # every text of an edition is in the guide's language
        "rendition": None,
        "printed_heading": PRINTED_HEADINGS[Section.INDICATORS],
        "sections": ON_PAGES,
        "history": history,
        "previous_edition": {each.number: previous.get(each.number) for each in history},
    }


def _readable(history: list[EditionHead]) -> list[EditionHead]:
    return [each for each in history if each.withdrawn_at is None]


@dataclass(frozen=True)
class WordMarks:
    """HTML attributes for the language and direction of each text of a rendition, by the parts of its JSON Pointer."""

    words: RenderedWords
    language: str

    def __call__(self, *pointer: str | int) -> Markup:
        at = "".join(f"/{part}" for part in pointer)
        return IN_GUIDE_LANGUAGE if at in self.words.in_guide_language else self.own

    @property
    def own(self) -> Markup:
        """Return the attributes for the rendition's own language."""
        return Markup(' lang="{}" dir="{}"').format(self.language, direction_of(self.language))


@router.get("/guides/{guide}/renditions/{language}")
def read_rendition_page(site: SiteDep, session: SessionDep, guide: GuideName, language: LanguageName) -> Response:
    """Show a rendition, by preference one with text, then of the latest edition.

    Redirect if there are pages in `language`. Raise as `find_rendition`, or `EditionWithdrawn` if all are.
    """
    return _in_its_language(language, guide, None) or _rendition_page(site, session, guide, language, None)


@router.get("/guides/{guide}/renditions/{language}/{number}")
def read_numbered_rendition_page(
    site: SiteDep, session: SessionDep, guide: GuideName, language: LanguageName, number: RenditionNumber
) -> Response:
    """Show a numbered rendition with current cautions and contacts, otherwise as `read_rendition_page` does."""
    return _in_its_language(language, guide, number) or _rendition_page(site, session, guide, language, number)


def _in_its_language(tag: str, guide: str, number: int | None) -> Response | None:
    """Return a redirect, or None if the request is in that language or no pages are."""
    own = next((each for each in LANGUAGES if each.tag == tag), current_language())
    if own == current_language():
        return None
    return RedirectResponse(f"{own.prefix}{rendition_page_path(guide, tag, number)}", status_code=308)


def _rendition_page(site: Site, session: Session, guide: str, language: str, number: int | None) -> Response:
    history, stored = get_history(session, guide=guide), list_renditions(session, guide=guide)
    rendition, readable = chosen_rendition(history, stored, language, number), current_renditions(history, stored)
    values = rendition_values(site, session, history, rendition)
    response = site.cached_page(
        "rendition.html",
        caching=CACHE_CHECKED,
        here=f"/guides/{guide}" if language == current_language().tag else "",  # for links to other languages
        is_latest=number is None,
        alternates=OTHER_FORMS,
        pdf_available=pdf_available() and is_printable(content_language(rendition)),
        tables=[section.value for section in ON_PAGES if getattr(values["content"], section.key)],
        renditions=[
            link for each, link in zip(readable, _links_of_renditions(readable), strict=True) if each != rendition
        ],
        api=rendition_path(guide, language, number),
        **values,
    )
    languages = dict.fromkeys([current_language().code, content_language(rendition)])
    response.headers["Content-Language"] = ", ".join(languages)
    return response


def rendition_values(
    site: Site, session: Session, history: list[EditionHead], rendition: StoredRendition
) -> dict[str, Any]:
    """Return template variables with current cautions and contacts. Raise `EditionWithdrawn` if all editions are."""
    current, form = require_current(history), rendition.form
    words = rendered_words(history, rendition, partial(site.context.contents, session=session), is_numbered=False)
    lacks_words = any(not each.startswith(ALWAYS_OWN) for each in words.in_guide_language)
    return {
        "head": current,
        "rendition": rendition,
        "form_label": FORM_LABELS[form],
        "content": words.content,
        "words": WordMarks(words, content_language(rendition)),
        "unchecked_cautions": words.unchecked_cautions,
        "pictures": words.pictures,
        "has_missing_words": form.has_words and lacks_words,
        "behind": is_of_former_edition(history, rendition.edition),
        "who": site.context.submissions.resolver.pin(current.key).who,
        "sections": ON_PAGES if form.has_words else (),
        "guide_page": f"{ENGLISH.prefix}/guides/{rendition.key.guide}",
    }


@router.get("/guides/{guide}/renditions/{language}/{number}/pictures/{picture}.jpg")
def read_published_picture(
    request: Request, session: SessionDep, rendition: RenditionKeyDep, picture: PictureName
) -> Response:
    """Find the picture by its SHA-256. Raise `NoSuchGuide`, `NoSuchRendition`, `RenditionWithdrawn` or `NotFound`."""
    history = get_history(session, guide=rendition.guide)
    stored = list_renditions(session, guide=rendition.guide, language=rendition.language)
    found = chosen_rendition(history, stored, rendition.language, rendition.number)
    digest = f"sha256:{picture}"
    if digest not in {each.digest for each in found.content.pictures}:
        raise NotFound
    data = read_picture(session, digest)
    return conditional_response(request, data, media_type=MEDIA_TYPE, links={}, caching=CACHE_IMMUTABLE)
