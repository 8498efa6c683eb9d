"""Requests from editors about the draft of a guide, as FastAPI dependencies."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from fastapi import Response, Security
from pydantic import StringConstraints
from sqlmodel import Session

from app.errors import DraftChanged
from app.http.context import SessionDep
from app.http.params import GuideName
from app.models.access.clients import Scope
from app.models.guides.edition_rows import OWN_WORDS, GuideDraftRow
from app.models.guides.editions import EditionContent
from app.models.languages import MAX_TAG_LENGTH, TAG_PATTERN
from app.pages.frame import Visit, VisitDep, lead_to
from app.pages.guides.edit_posts import filled
from app.pages.posted_forms import SubmittedForm
from app.services.access.sign_in import GUIDES_PATH
from app.services.guides.draft_review import CHANGE_NOTE, count_waiting
from app.services.guides.drafts import (
    DraftAct,
    DraftChange,
    DraftContent,
    UnplacedChange,
    keep_unplaced,
    write_guide_draft,
)
from app.services.guides.editions import current_of, find_history
from app.services.guides.validation import CheckedDraft, check_draft

NO_FAULTS: Mapping[str, str] = {}
DraftLanguage = Annotated[str, StringConstraints(pattern=f"{TAG_PATTERN}|^$", max_length=MAX_TAG_LENGTH)]


@dataclass(frozen=True)
class Editing(Visit):
    """A request from a signed-in editor about the draft of `guide`. There may be no draft yet.

    `language` is the language of a rendition, or empty for the draft of an edition.
    """

    session: Session
    guide: str
    language: str = OWN_WORDS

    @property
    def path(self) -> str:
        """The path of the draft's page."""
        below = f"/renditions/{self.language}" if self.language else ""
        return f"{GUIDES_PATH}/{self.guide}{below}"

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """Return the page of `template` for editors, with the HTTP status `status`.

        The top of the page has the number of drafts that wait for the person.
        """
        return super().page(template, status=status, waiting=waiting_for(self, self.session), **values)

    def check(self, draft: GuideDraftRow) -> CheckedDraft:
        """Check the whole `draft`, and return the draft with the errors and warnings that the check found."""
        return check_draft(self.session, draft, self.context.reference_data, today=self.now.date())

    @cached_property
    def current(self) -> EditionContent | None:
        """The content of the guide's current edition, or None if the guide has no current edition."""
        current = current_of(find_history(self.session, guide=self.guide))
        return self.context.contents(current.key, self.session) if current is not None else None

    def initial_content(self) -> DraftContent:
        """Return the content of a new draft: the current edition without the change note.

        If the guide has no current edition, return a title made from the guide's name, and the council as publisher.
        """
        if self.current is None:
            publisher = {"name": self.context.settings.council_name}
            return {"title": self.guide.replace("-", " ").capitalize(), "publisher": publisher}
        words = filled(self.current.model_dump(mode="json"))
        return {name: value for name, value in words.items() if name != CHANGE_NOTE}

    def write(self, change: DraftChange, *, unplaced: UnplacedChange = keep_unplaced) -> GuideDraftRow:
        """Save the content that `change` returns as the draft, in the name of the person, and return the draft.

        `change` and `unplaced` get the saved draft, or None if there is none. `unplaced` returns the passages of a
        document that have no place in the draft yet. If nothing has changed, save and record nothing. Raise the errors
        of `change`.
        """
        return self.context.writer.run(write_guide_draft, self.anyhow(), change, unplaced=unplaced)

    def begin(self, words: DraftContent, page: str = "") -> Response:
        """Save a new draft with the content `words`, and redirect to the draft's page.

        If `page` is given, redirect to that path below the draft's page. A draft that already exists stays unchanged.
        """
        self.write(lambda draft: words if draft is None else draft.read())
        return lead_to(f"{self.path}{page}")

    def act(self, posted: SubmittedForm) -> DraftAct:
        """Return the argument for functions that act on the draft: the guide, the person, the time and a precondition.

        The precondition raises `DraftChanged` if the draft is not the version that the posted page showed.
        """

        def check(draft: GuideDraftRow) -> None:
            if posted.one("version") != str(draft.version):
                raise DraftChanged

        return DraftAct(self.guide, self.actor.client, self.now, check, self.language)

    def anyhow(self) -> DraftAct:
        """Return the argument for functions that act on any version of the draft, such as adding a comment."""
        return DraftAct(self.guide, self.actor.client, self.now, language=self.language)


def waiting_for(visit: Visit, session: Session) -> int:
    """Return the number of drafts that wait for the signed-in person.

    These are submitted drafts that the person may publish, and drafts that were sent back and that the person wrote. A
    draft with a planned publication waits for nobody.
    """
    return count_waiting(session, visit.actor.client, can_publish=visit.visitor.can_publish)


async def read_editing(visit: VisitDep, session: SessionDep, guide: GuideName) -> Editing:
    """Return the editor's request about the draft of the guide in the path, as a FastAPI dependency."""
    return Editing(**vars(visit), session=session, guide=guide)


async def read_reviewing(
    visit: VisitDep, session: SessionDep, guide: GuideName, language: DraftLanguage = OWN_WORDS
) -> Editing:
    """Return the editor's request about a draft of the guide in the path, as a FastAPI dependency.

    `language`, from the path or the query, is the language of a rendition, or empty for the draft of an edition.
    """
    return Editing(**vars(visit), session=session, guide=guide, language=language)


EditingDep = Annotated[Editing, Security(read_editing, scopes=[Scope.DRAFT])]

ReviewingDep = Annotated[Editing, Security(read_reviewing, scopes=[Scope.DRAFT])]

PublishingDep = Annotated[Editing, Security(read_reviewing, scopes=[Scope.PUBLISH])]
