"""The links from a guide's page to the guide in other languages and forms."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.models.guidance.languages import Direction, direction_of, own_name_of
from app.models.guidance.renditions import RenditionForm
from app.models.links import rendition_page_path
from app.pages.languages import LANGUAGES, current_language, to_translate
from app.store.editions import StoredRendition

FORM_LABELS = {
    RenditionForm.TRANSLATION: to_translate("Translation"),
    RenditionForm.EASY_READ: to_translate("Easy read"),
    RenditionForm.LARGE_PRINT: to_translate("Large print"),
    RenditionForm.BSL_VIDEO: to_translate("British Sign Language"),
    RenditionForm.AUDIO: to_translate("Listen to the guide"),
}


@dataclass(frozen=True)
class RenditionLinkOnPage:
    """A link to a rendition: the language's own name, or where there is none, the label of its form."""

    path: str
    language: str
    dir: Direction
    label: str
    own_name: str | None


def rendition_links(renditions: Sequence[StoredRendition]) -> list[RenditionLinkOnPage]:
    """Return a link to the page of each rendition, with the page's own words in that language where there are any."""
    first = {each.key.language: each for each in reversed(renditions)}
    return [
        RenditionLinkOnPage(
            path=page_of_rendition(each, is_numbered=each != first[each.key.language]),
            language=each.key.language,
            dir=direction_of(each.key.language),
            label=FORM_LABELS[each.content.form],
            own_name=own_name_of(each.key.language) if each.content.form is RenditionForm.TRANSLATION else None,
        )
        for each in renditions
    ]


def page_of_rendition(rendition: StoredRendition, *, is_numbered: bool) -> str:
    """Return the path of the rendition's page, in its own language if the pages have that, else as this page.

    A further form in the same language, such as a recording beside a translation, has a page with its number.
    """
    language = next((each for each in LANGUAGES if each.tag == rendition.key.language), current_language())
    guide, tag, number = rendition.key
    return f"{language.prefix}{rendition_page_path(guide, tag, number if is_numbered else None)}"
