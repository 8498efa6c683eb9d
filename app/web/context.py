"""The application context, and the dependencies of one request: the context, a session, the time."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine
from sqlmodel import Session

from app.config import Settings
from app.services.access.clients import Authenticator
from app.services.concerns.follow_up import FollowUps
from app.services.concerns.receipt_signing import ReceiptSigner
from app.services.concerns.submission import Submissions
from app.services.concerns.unsealing import Unsealer
from app.services.guidance.emergency_contacts import EmergencyContacts
from app.services.guidance.reference_data import ReferenceData
from app.store.contents import Contents
from app.store.writer import Writer
from app.web.allowed_hosts import AllowedHosts
from app.web.cache.cache import ResponseCache
from app.web.metrics import Metrics

Clock = Callable[[], dt.datetime]


@dataclass(frozen=True)
class AppContext:
    """What the service is made of: one for each application, made by `build_context`."""

    settings: Settings
    engine: Engine
    writer: Writer
    contents: Contents
    reference_data: ReferenceData
    signer: ReceiptSigner
    unsealer: Unsealer
    submissions: Submissions
    follow_ups: FollowUps
    emergency_contacts: EmergencyContacts
    authenticator: Authenticator
    metrics: Metrics
    response_cache: ResponseCache
    invalidate_caches: Callable[[], None]
    """Drops what is cached of published editions: one was published or withdrawn."""
    known_hosts: AllowedHosts
    clock: Clock
    draining: Event = field(default_factory=Event)
    """Set once the process is to stop: it finishes what it accepted, and refuses what is new."""


async def get_context(request: Request) -> AppContext:
    """Return the context of the application. It never waits, and is `async` so that it takes no thread."""
    context: AppContext = request.app.state.context
    return context


ContextDep = Annotated[AppContext, Depends(get_context)]


async def open_session(request: Request) -> Session:
    """Return a session, which `Routes` closes when the route's function ends."""
    context: AppContext = request.app.state.context
    return Session(context.engine)  # it reaches the database when it is first used, in the route's own thread


async def _now(request: Request) -> dt.datetime:
    context: AppContext = request.app.state.context
    return context.clock()


SessionDep = Annotated[Session, Depends(open_session)]
NowDep = Annotated[dt.datetime, Depends(_now)]
