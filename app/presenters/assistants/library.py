"""What the tools read, and the beginning that every result has."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from app.errors import NoSuchGuide
from app.models.guidance.assistant_arguments import OfGuide
from app.models.guidance.assistant_results import CitedEdition
from app.models.guidance.items import Caution
from app.models.guidance.signposts import CALL_999_FIRST, Signpost
from app.models.links import edition_path
from app.store.contents import Contents
from app.store.editions import EditionKey, default_guide


@dataclass(frozen=True)
class Library:
    """What the tools read."""

    session: Session
    contents: Contents
    signposts: tuple[Signpost, ...]
    public_url: str
    preferred_guide: str | None

    def guide_of(self, arguments: OfGuide) -> str:
        """Return the name of the guide, or of the default guide. Raise `NoSuchGuide` if there is none."""
        guide = arguments.guide or default_guide(self.session, self.preferred_guide)
        if guide is None:
            raise NoSuchGuide
        return guide


def result_beginning(
    library: Library, cautions: Iterable[Caution], cited: Iterable[tuple[EditionKey, str]]
) -> dict[str, Any]:
    """Return the fields of `AssistantResult`. `cited` are editions with their digests."""
    return {
        "emergency": CALL_999_FIRST,
        "cautions": tuple(cautions),
        "editions": tuple(
            CitedEdition(
                guide=key.guide, edition=key.number, digest=digest, url=f"{library.public_url}{edition_path(*key)}"
            )
            for key, digest in cited
        ),
    }
