"""Publishing and withdrawing over HTTP."""

from typing import Annotated

from fastapi import Body, Header, Response, Security
from sqlmodel import Session

from app.errors import EditionAlreadyPublished, EditionOutOfOrder, PreconditionFailed, PreconditionMissing
from app.models.clients import Scope
from app.models.digest import digest_of
from app.models.guidance.edition_example import EDITION_EXAMPLE
from app.models.guidance.editions import EditionContent
from app.models.guidance.guide_responses import Status
from app.models.guidance.publishing import PublishedAnswer, WithdrawalAnswer, WithdrawalRequest
from app.web.auth import the_client
from app.web.responses import NO_STORE, etag_of, json_bytes, names_etag, zipped_etag
from app.routers.editions import Number
from app.presenters.guides import edition_answer, edition_path, guide_path
from app.routers.guides import GuideName
from app.web.json_body import JSONRoute
from app.web.context import Now, OpenSession, TheParts
from app.web.problem_types import (
    BUSY,
    EDITION,
    GUIDE,
    MEDIA_TYPE,
    NOT_FOUND,
    NOT_JSON,
    PRECONDITION_FAILED,
    PRECONDITION_MISSING,
    PROVIDER,
    REFUSED,
    SCOPE,
    TOKEN,
    TOO_LARGE,
    UNKNOWN_TOKEN,
    WITHDRAWN_BEFORE,
    documented,
)
from app.web.router import Routes
from app.services.guidance.publishing import publish_edition, withdraw_edition
from app.store.contents import read_content
from app.store.editions import EditionHead, EditionKey, current_of, find_history

router = Routes(prefix="/v1/guides/{guide}/editions", tags=["Publishing"], route_class=JSONRoute)

MAY_PUBLISH = Security(the_client, scopes=[Scope.PUBLISH])
REFUSALS = (NOT_JSON, TOKEN, UNKNOWN_TOKEN, SCOPE, TOO_LARGE, MEDIA_TYPE, REFUSED, BUSY, PROVIDER)

IfMatch = Annotated[
    str | None,
    Header(
        description="The ETag of `GET /v1/guides/{guide}` that this edition follows. Needed unless the guide is new.",
        examples=['"0123456789abcdef0123456789abcdef"'],
    ),
]


@router.post(
    "",
    operation_id="publish_edition",
    summary="Publish an edition",
    status_code=201,
    responses=documented(NOT_FOUND, PRECONDITION_FAILED, PRECONDITION_MISSING, *REFUSALS)
    | {200: {"model": PublishedAnswer, "description": "The same words are already the current edition."}},
    dependencies=[MAY_PUBLISH],
)
def publish(
    *,
    response: Response,
    parts: TheParts,
    session: OpenSession,
    now: Now,
    guide: GuideName,
    content: Annotated[EditionContent, Body(examples=[EDITION_EXAMPLE])],
    if_match: IfMatch = None,
) -> PublishedAnswer:
    """Publish the words as the guide's next edition. It can never be altered: a correction is the next number.

    `If-Match` guards against two editors who both follow the same edition: the second is refused with 412. Sending
    the current edition's words again answers 200 and changes nothing, so that a retry is safe.
    """
    history = find_history(session, guide=guide)
    current = current_of(history)
    if current is not None and current.digest == digest_of(content):
        key = current.key
    else:
        key = EditionKey(guide, len(history) + 1)
        _check_precondition(session, current, if_match)
    try:
        published = parts.intake.writer.keep(
            lambda connection: publish_edition(
                connection, key, content=content, at=now, reference_data=parts.reference_data
            )
        )
    except (EditionAlreadyPublished, EditionOutOfOrder):  # somebody else published after we looked
        raise PreconditionFailed from None
    response.status_code = 201 if published.is_new else 200
    response.headers["Location"] = edition_path(key)
    response.headers["Cache-Control"] = NO_STORE
    return PublishedAnswer(
        guide=guide,
        edition=key.number,
        digest=published.digest,
        published_at=published.published_at,
        links={
            "self": edition_path(key),
            "guide": guide_path(guide),
            "version_history": f"{guide_path(guide)}/editions",
        },
    )


@router.post(
    "/{number}/withdrawal",
    operation_id="withdraw_edition",
    summary="Withdraw an edition",
    status_code=201,
    responses=documented(GUIDE, EDITION, WITHDRAWN_BEFORE, *REFUSALS)
    | {200: {"model": WithdrawalAnswer, "description": "It was already withdrawn for this reason."}},
    dependencies=[MAY_PUBLISH],
)
def withdraw(
    response: Response, parts: TheParts, now: Now, guide: GuideName, number: Number, request: WithdrawalRequest
) -> WithdrawalAnswer:
    """Take an edition back. Its words stay on record; every read of it answers 410 with the reason from now on."""
    key = EditionKey(guide, number)
    withdrawn = parts.intake.writer.keep(
        lambda connection: withdraw_edition(connection, key, reason=request.reason, at=now)
    )
    response.status_code = 201 if withdrawn.is_new else 200
    response.headers["Cache-Control"] = NO_STORE
    return WithdrawalAnswer(
        guide=guide,
        edition=number,
        withdrawn_at=withdrawn.withdrawn_at,
        reason=request.reason,
        links={
            "self": edition_path(key),
            "guide": guide_path(guide),
            "version_history": f"{guide_path(guide)}/editions",
        },
    )


def _check_precondition(session: Session, current: EditionHead | None, if_match: str | None) -> None:
    """Raise unless the header names the current edition, or there is none to name."""
    if current is None:
        if if_match is not None:
            raise PreconditionFailed
        return
    if if_match is None:
        raise PreconditionMissing
    answer = edition_answer(current, read_content(session, current.key), Status.CURRENT, guide_path(current.guide))
    etag = etag_of(json_bytes(answer))
    if not any(names_etag([if_match], tag) for tag in (etag, zipped_etag(etag))):  # in whichever form it was read
        raise PreconditionFailed
