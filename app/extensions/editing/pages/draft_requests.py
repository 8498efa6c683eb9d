"""Requests from editors about the draft of a guide, as FastAPI dependencies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from fastapi import Response, Security
from pydantic import StringConstraints
from sqlmodel import Session

from app.errors import DraftChanged, DraftFull, ValidationFailed
from app.extensions.editing import PAGES
from app.extensions.editing.pages.edit_posts import filled
from app.extensions.editing.services.draft_checks import CheckedDraft, check_draft
from app.extensions.editing.services.draft_review import CHANGE_NOTE, count_waiting
from app.extensions.editing.services.drafts import (
    DraftAct,
    DraftChange,
    DraftContent,
    UnplacedChange,
    keep_unplaced,
    write_guide_draft,
)
from app.extensions.editing.tables import GuideDraftRow
from app.http.context import SessionDep
from app.http.params import GuideName
from app.models.access.clients import Scope
from app.models.guides.edition_rows import OWN_WORDS
from app.models.guides.editions import EditionContent
from app.models.languages import MAX_TAG_LENGTH, TAG_PATTERN
from app.pages.frame import DeskRouter, Visit, VisitDep, lead_to, read_visit
from app.pages.posted_forms import SubmittedForm
from app.services.guides.editions import current_of, find_history

NO_FAULTS: Mapping[str, str] = {}
DraftLanguage = Annotated[str, StringConstraints(pattern=f"{TAG_PATTERN}|^$", max_length=MAX_TAG_LENGTH)]
EditorVisitDep = Annotated[Visit, Security(read_visit, scopes=[Scope.DRAFT])]


@dataclass(frozen=True)
class Editing(Visit):
    """An editor's request about a draft, if there is one. `language` is empty for an edition."""

    session: Session
    guide: str
    language: str = OWN_WORDS

    @property
    def path(self) -> str:
        below = f"/renditions/{self.language}" if self.language else ""
        return f"{PAGES}/{self.guide}{below}"

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """Show the number of drafts that wait for the person too."""
        return super().page(template, status=status, waiting=waiting_for(self, self.session), **values)

    def check(self, draft: GuideDraftRow) -> CheckedDraft:
        return check_draft(self.session, draft, self.context.reference_data, today=self.now.date())

    @cached_property
    def current(self) -> EditionContent | None:
        """Content of the guide's current edition."""
        current = current_of(find_history(self.session, guide=self.guide))
        return self.context.contents(current.key, self.session) if current is not None else None

    def initial_content(self) -> DraftContent:
        """Return the current edition without its change note, or a title made from the guide's name and the council."""
        if self.current is None:
            publisher = {"name": self.context.settings.council_name}
            return {"title": self.guide.replace("-", " ").capitalize(), "publisher": publisher}
        words = filled(self.current.model_dump(mode="json"))
        return {name: value for name, value in words.items() if name != CHANGE_NOTE}

    def write(self, change: DraftChange, *, unplaced: UnplacedChange = keep_unplaced) -> GuideDraftRow:
        """Write as the person who asks. See `write_guide_draft`."""
        return self.context.writer.run(write_guide_draft, self.anyhow(), change, unplaced=unplaced)

    def begin(self, words: DraftContent, page: str = "") -> Response:
        """Start a draft unless there is one, and lead to it. `page` is a path below the draft's."""
        self.write(lambda draft: words if draft is None else draft.read())
        return lead_to(f"{self.path}{page}")

    def act(self, posted: SubmittedForm) -> DraftAct:
        """Return an act that raises `DraftChanged` if the draft is not as the posted page showed it."""

        def check(draft: GuideDraftRow) -> None:
            if posted.one("version") != str(draft.version):
                raise DraftChanged

        return DraftAct(self.guide, self.actor.client, self.now, self.language, check)

    def anyhow(self) -> DraftAct:
        """Return an act that fits any version, such as a comment."""
        return DraftAct(self.guide, self.actor.client, self.now, language=self.language)


def draft_form(
    router: DeskRouter, path: str, anchor: str = ""
) -> Callable[[Callable[..., Response | None]], Callable[..., Response]]:
    """Decorate the operation of a form about a draft. It leads to the draft, and shows errors there."""
    return router.form(
        f"/{{guide}}/{path}",
        lambda editing: lead_to(f"{editing.path}{anchor}"),
        lambda editing, refusal: lead_to(f"{editing.path}{anchor if isinstance(refusal, DraftFull) else '#to-do'}"),
        (ValidationFailed, DraftFull),
    )


def waiting_for(visit: Visit, session: Session) -> dict[str, int]:
    """Count the drafts that wait for the person, for the desk's menu."""
    return {PAGES: count_waiting(session, visit.actor.client, can_publish=visit.visitor.can_publish)}


async def read_editing(visit: VisitDep, session: SessionDep, guide: GuideName) -> Editing:
    return Editing(**vars(visit), session=session, guide=guide)


async def read_reviewing(
    visit: VisitDep, session: SessionDep, guide: GuideName, language: DraftLanguage = OWN_WORDS
) -> Editing:
    """Take `language` from path or query. It is empty for an edition."""
    return Editing(**vars(visit), session=session, guide=guide, language=language)


EditingDep = Annotated[Editing, Security(read_editing, scopes=[Scope.DRAFT])]

ReviewingDep = Annotated[Editing, Security(read_reviewing, scopes=[Scope.DRAFT])]

PublishingDep = Annotated[Editing, Security(read_reviewing, scopes=[Scope.PUBLISH])]
