"""The base of the desk's pages. None is cached, and only pages of this service may post forms to the desk."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Request, Response, Security
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from app import errors
from app.http.context import context_of
from app.http.visitors import Visitor, VisitorDep, is_navigation
from app.models.access.clients import Scope
from app.pages.error_pages import PageRoute, PageRouter, log_defect, own_origin, problem_type_of
from app.pages.page import Site
from app.services.access.key_copies import has_copy
from app.services.access.restrictions import expect_openable, is_openable
from app.services.access.sign_in import PATH, PROVIDER_SIGN_IN, SIGN_IN
from app.services.audit.audit_log import Actor
from app.services.desk.presented_concerns import reference_of

DESK_CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""No site may frame the desk: `embedding_origins` does not apply here."""
SEE_OTHER = 303
LONGEST_WAY_BACK = 2000
FROM_ELSEWHERE = (
    "Use the form on this website",
    "Your action has not been carried out. Open the desk here and try again.",
)
SIGN_IN_AGAIN = ("You are signed out", "Your action has not been carried out. Sign in and try again.")
DAMAGED = ("This concern is damaged", "It cannot be shown. Tell the operator, who can find out what was changed.")
P = ParamSpec("P")
T = TypeVar("T")
Texts = dict[type[errors.GuidanceError], tuple[str, str]]
SHOWN_AGAIN: Texts = {
    errors.ChangedMeanwhile: (
        "Someone else changed this concern",
        "Your action has not been carried out. Read what changed, then decide what to do. What you typed is below.",
    ),
    errors.ReporterHasNoCode: (
        "The reporter has no code",
        "Nobody could read a message: this was written down without a code. Call the reporter instead.",
    ),
    errors.TooManyMessages: ("Message limit reached", "You cannot send this reporter any more messages."),
    errors.TooManyNotes: (
        "Note limit reached",
        "You cannot add any more notes to this concern. Your note was not saved.",
    ),
    errors.TooManyLabels: (
        "Label limit reached",
        "You cannot change the label of this concern any more. The former label stays.",
    ),
    errors.ConcernErased: ("The text has been erased", "The dates and outcome of this concern are kept."),
    errors.IdempotencyKeyReused: (
        "You have already sent this form with different text",
        "The first version is recorded. Nothing has been sent this time. To send this version too, press the button "
        "again.",
    ),
    errors.NotAcknowledged: (
        "Acknowledge this first",
        "The concern or one of its additions has not been acknowledged.",
    ),
    errors.OnHold: ("This concern is on hold", "A concern on hold cannot be erased. Release it first."),
    errors.NotClosed: ("This concern is open", "There is nothing to reopen."),
    errors.OutcomeGiven: (
        "This concern is already closed",
        "It was closed with a different outcome, which has not been changed. To give another outcome, reopen it first.",
    ),
    errors.StoreBusy: (
        "Sorry, we could not save this",
        "Your action has not been carried out. Go back and try again in a few seconds.",
    ),
    errors.UnsealingUnavailable: (
        "This concern cannot be opened here",
        "It was encrypted to keys that this server does not have.",
    ),
    errors.ValidationFailed: (
        "Something is missing",
        "Your action has not been carried out. Complete the form and send it again.",
    ),
}
TEXTS: Texts = SHOWN_AGAIN | {
    errors.ScopeMissing: ("Your role does not allow this", "If you need to do this, ask the desk lead."),
    errors.RoleNotYours: (
        "You cannot change this person",
        "Your action has not been carried out. Nobody changes their own access, or a role with rights that they lack. "
        "Ask another lead or the operator.",
    ),
    errors.NoSuchPerson: ("Nobody at the desk has this name", "They have left, or the address has a mistake."),
    errors.CardsRefused: ("Your role does not get cards", "You can still open each concern."),
    errors.NoSuchConcern: ("No concern has this reference", "Check the reference for a mistake."),
    errors.NoSuchItem: ("Not found", "Someone removed it, or the address has a mistake."),
    errors.ProviderUnavailable: (
        "The sign-in service is not responding",
        "Try again in a minute, or tell the operator.",
    ),
    errors.SealedTextMisplaced: DAMAGED,
    errors.NoSuchGuideDraft: ("There is no such draft", "It was published, deleted or never started."),
    errors.DraftChanged: (
        "Someone else changed this draft",
        "They saved it after you opened this page. Your action has not been carried out. Check it and try again.",
    ),
    errors.SecondPersonNeeded: ("Someone else must publish this", "You wrote part of this draft."),
    errors.HandUnknown: (
        "Someone else must publish this",
        "Two people must publish, and a program without a person wrote part of this draft. Write it as a person.",
    ),
    errors.FollowsAnotherEdition: (
        "Another edition was published",
        "Your draft was compared with an older edition. It has not been published. Check the changes, then publish.",
    ),
}
OTHER_TEXTS = {
    400: ("Sorry, there is a problem", "Your action has not been carried out. Go back and try again."),
    404: ("Page not found", "There is no page here."),
    429: ("Too many requests", "Your action has not been carried out. Wait a minute, then try again."),
    503: ("Sorry, the service is not available", "Your action has not been carried out. Try again in a few seconds."),
}
DEFECT = ("Sorry, something went wrong", "Your action has not been carried out. Try again, or tell the operator.")


@dataclass(frozen=True)
class DeskSite(Site):
    """The visitor may be signed in or not."""

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """If this service cannot decrypt, the page shows whether the team's key is open in the browser."""
        is_sealed = not self.context.unsealer.can_unseal
        given = {"visitor": None, "has_copy": False, "is_sealed": is_sealed, "waiting": {}} | values
        given |= {"menu": self.context.added.menu, "oversight": self.context.added.oversight}
        page = super().page(template, status=status, **given)
        page.headers["Content-Security-Policy"] = DESK_CONTENT_POLICY
        return page


@dataclass(frozen=True)
class Visit(DeskSite):
    visitor: Visitor

    @property
    def actor(self) -> Actor:
        return self.visitor.actor

    def openable_reference(self, typed: str) -> str:
        """Check a form field: `VisitorDep` checks the path. Raise `NoSuchConcern`; a refusal is recorded."""
        reference = reference_of(typed)
        expect_openable(self.context.writer, reference, self.visitor.actor)
        return reference

    def read(self, query: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return `query(session, ...)`, in a session of its own: `context.writer.run` is for what is changed."""
        with Session(self.context.engine) as session:
            return query(session, *args, **kwargs)

    def may_open(self, reference: str) -> bool:
        """Check again, because the concern may just have been restricted."""
        return self.read(is_openable, reference, self.visitor.actor)

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        return super().page(template, status=status, visitor=self.visitor, has_copy=self._has_copy, **values)

    @property
    def _has_copy(self) -> bool:
        return self.visitor.has_passkey and self.read(has_copy, self.visitor.name)


async def read_visit(request: Request, visitor: VisitorDep) -> Visit:
    return Visit(request, context_of(request), visitor.actor.at, visitor)


VisitDep = Annotated[Visit, Depends(read_visit)]

ReaderVisitDep = Annotated[Visit, Security(read_visit, scopes=[Scope.READ])]

WorkerVisitDep = Annotated[Visit, Security(read_visit, scopes=[Scope.WRITE])]

AuditVisitDep = Annotated[Visit, Security(read_visit, scopes=[Scope.AUDIT])]

LeadVisitDep = Annotated[Visit, Security(read_visit, scopes=[Scope.READ, Scope.WRITE, Scope.AUDIT])]


class DeskRoute(PageRoute):
    def comes_from_elsewhere(self, request: Request) -> bool:
        """False only if the browser reports a page of this service. The referrer policy can make `Origin` `null`."""
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            return site != "same-origin"
        return request.headers.get("origin") not in (context_of(request).settings.public_url, own_origin(request))

    def page_for_elsewhere(self, request: Request) -> Response:
        return _message_page(request, errors.ScopeMissing.status, FROM_ELSEWHERE)

    def page_for(self, request: Request, error: Exception) -> Response:
        """A read without a session leads to the sign-in and back. A post says that nothing was done.

        A session that must be confirmed leads to the provider and back. No response deletes the cookie: it may arrive
        after a new sign-in in another tab.
        """
        page = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        way_back = page if len(page) <= LONGEST_WAY_BACK else PATH
        if isinstance(error, errors.SessionUnconfirmed) and is_navigation(request):
            return lead_to(f"{PROVIDER_SIGN_IN}?{urlencode({'page': way_back})}")
        if isinstance(error, errors.TokenMissing | errors.TokenInvalid):
            if request.method == "POST":
                return _message_page(request, errors.TokenMissing.status, SIGN_IN_AGAIN, signs_in=True)
            return lead_to(sign_in_address(way_back))
        status = problem_type_of(error).status
        if status == errors.InternalError.status and type(error) not in TEXTS:
            log_defect(request, error)
        texts = TEXTS.get(type(error)) if isinstance(error, errors.GuidanceError) else None
        is_there = not isinstance(error, errors.NoSuchConcern)
        answer = _message_page(request, status, texts or OTHER_TEXTS.get(status, DEFECT), leads_back=is_there)
        answer.headers.update(error.headers if isinstance(error, errors.RateLimited) else {})
        return answer


class DeskRouter(PageRouter):
    def __init__(self, prefix: str = PATH, **options: Any) -> None:
        super().__init__(prefix=prefix, route_class=DeskRoute, **options)


def _message_page(
    request: Request, status: int, texts: tuple[str, str], *, leads_back: bool = True, signs_in: bool = False
) -> Response:
    heading, message = texts
    reference = request.path_params.get("reference") if leads_back else None
    sign_in = sign_in_address(f"{PATH}/concerns/{reference}" if reference else PATH) if signs_in else None
    return DeskSite.of(request).page(
        "desk_message.html", status=status, heading=heading, message=message, reference=reference, sign_in=sign_in
    )


def sign_in_address(page: str) -> str:
    return SIGN_IN if page == PATH else f"{SIGN_IN}?{urlencode({'page': page})}"


def lead_to(path: str) -> RedirectResponse:
    """Return 303, so that the browser reads with GET."""
    return RedirectResponse(path, status_code=SEE_OTHER)
