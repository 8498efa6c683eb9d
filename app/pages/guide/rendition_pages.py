"""Pages of renditions: a guide in another language or form, with cautions and numbers to call in its own words."""

from dataclasses import dataclass
from functools import partial

from fastapi import Request, Response
from markupsafe import Markup
from sqlmodel import Session

from app.models.guidance.languages import direction_of
from app.models.guidance.renditions import RenderedWords
from app.models.guidance.sections import ON_PAGES
from app.models.links import rendition_path
from app.pages.error_pages import PageRoute
from app.pages.guide.guide_pages import OTHER_FORMS
from app.pages.guide.rendition_links import FORM_LABELS, rendition_links
from app.pages.languages import ENGLISH, current_language
from app.pages.page import public_page
from app.presenters.pdf import is_printable, pdf_available
from app.presenters.renditions import content_language, rendered_words
from app.routers.params import GuideName, LanguageName, RenditionNumber
from app.services.guidance.renditions import chosen_rendition, current_renditions, is_of_former_edition
from app.store.editions import get_history, list_renditions, require_current
from app.web.auth import PUBLIC
from app.web.context import AppContext, ContextDep, SessionDep
from app.web.responses import CACHE_CHECKED
from app.web.router import GuidanceRouter

router = GuidanceRouter(include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)

ALWAYS_OWN = ("/change_note", "/cautions/")
"""Places where a rendition may have no words of its own for a reason that the page says."""
IN_GUIDE_LANGUAGE = Markup(' lang="en" dir="ltr"')


@dataclass(frozen=True)
class WordMarks:
    """The language and the direction of each of the words on the page."""

    words: RenderedWords
    language: str

    def __call__(self, *pointer: str | int) -> Markup:
        """Return the attributes of the element with the words at that place (the parts of a JSON Pointer)."""
        at = "".join(f"/{part}" for part in pointer)
        return IN_GUIDE_LANGUAGE if at in self.words.in_guide_language else self.own

    @property
    def own(self) -> Markup:
        """The attributes of an element in the language of the rendition."""
        return Markup(' lang="{}" dir="{}"').format(self.language, direction_of(self.language))


def has_missing_words(words: RenderedWords) -> bool:
    """Return whether words are missing beside those that are always the guide's own."""
    return any(not pointer.startswith(ALWAYS_OWN) for pointer in words.in_guide_language)


@router.get("/guides/{guide}/renditions/{language}")
def read_rendition_page(
    request: Request, session: SessionDep, context: ContextDep, guide: GuideName, language: LanguageName
) -> Response:
    """Return the page of the rendition to read."""
    return _rendition_page(request, session, context, guide, language, None)


@router.get("/guides/{guide}/renditions/{language}/{number}")
def read_numbered_rendition_page(
    *,
    request: Request,
    session: SessionDep,
    context: ContextDep,
    guide: GuideName,
    language: LanguageName,
    number: RenditionNumber,
) -> Response:
    """Return the page of that rendition, with the cautions and contacts of the current edition like every page."""
    return _rendition_page(request, session, context, guide, language, number)


def _rendition_page(
    request: Request, session: Session, context: AppContext, guide: str, language: str, number: int | None
) -> Response:
    history, stored = get_history(session, guide=guide), list_renditions(session, guide=guide)
    rendition, current = chosen_rendition(history, stored, language, number), require_current(history)
    readable = current_renditions(history, stored)
    read = partial(context.contents, session=session)
    words = rendered_words(history, rendition, read, is_numbered=False)
    response = public_page(
        request,
        context,
        "rendition.html",
        caching=CACHE_CHECKED,
        here="",  # the other languages of this page are those of the guide
        head=current,
        rendition=rendition,
        form_label=FORM_LABELS[rendition.content.form],
        content=words.content,
        words=WordMarks(words, content_language(rendition)),
        unchecked_cautions=words.unchecked_cautions,
        has_missing_words=rendition.content.form.has_words and has_missing_words(words),
        alternates=OTHER_FORMS,
        pdf_available=pdf_available() and is_printable(content_language(rendition)),
        tables=[section.value for section in ON_PAGES if getattr(words.content, section.key)],
        behind=is_of_former_edition(history, rendition.edition),
        current=read(current.key),
        sections=ON_PAGES if rendition.content.form.has_words else (),
        renditions=[link for each, link in zip(readable, rendition_links(readable), strict=True) if each != rendition],
        guide_page=f"{ENGLISH.prefix}/guides/{guide}",
        api=rendition_path(guide, language, number),
    )
    languages = dict.fromkeys([current_language().code, content_language(rendition)])
    response.headers["Content-Language"] = ", ".join(languages)
    return response
