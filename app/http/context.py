"""The application context, and FastAPI dependencies for the context, its parts, a database session and the time."""

import datetime as dt
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

from anyio import CancelScope, CapacityLimiter, to_thread
from fastapi import Depends, Request
from sqlalchemy import Engine
from sqlmodel import Session

from app.clock import Clock
from app.config import Settings
from app.db.writer import Writer
from app.extensions import Extension
from app.http.cache import ResponseCache
from app.http.held_file import HeldFile
from app.http.metrics import Metrics
from app.services.access.clients import Authenticator
from app.services.access.sign_in import DeskSignIn
from app.services.access.sources import CodeTries
from app.services.audit.lost_entries import LostEntries
from app.services.clock.teams import DutyHours
from app.services.concerns.entries import Desk
from app.services.concerns.follow_up import FollowUps
from app.services.concerns.receipt_signing import ReceiptSigner
from app.services.concerns.saved_forms import SavedForms
from app.services.concerns.sealing import Unsealer
from app.services.concerns.submission import Submissions
from app.services.guides.editions import Contents
from app.services.guides.reference_data import EmergencyContacts, ReferenceData
from app.services.operations.checkpoints import Checkpoints
from app.services.operations.external_services import ExternalServicesMonitor
from app.services.operations.invariants import Invariants
from app.services.operations.jobs import StoreProbe
from app.services.operations.watches import Watcher
from app.services.workers import JobsWorker

if TYPE_CHECKING:
    from app.http.tracing import Traces


@dataclass(frozen=True)
class AppContext:
    settings: Settings
    extensions: tuple[Extension, ...]
    added: Extension
    """Everything that `extensions` add, together."""
    engine: Engine
    writer: Writer
    contents: Contents
    reference_data: ReferenceData
    signer: ReceiptSigner
    checkpoints: Checkpoints
    lost_entries: LostEntries
    unsealer: Unsealer
    submissions: Submissions
    store_probe: StoreProbe
    follow_ups: FollowUps
    saved_forms: SavedForms
    code_tries: CodeTries
    emergency_contacts: EmergencyContacts
    authenticator: Authenticator
    desk_sign_in: DeskSignIn
    metrics: Metrics
    traces: "Traces | None"
    response_cache: ResponseCache
    held_file: HeldFile
    invalidate_caches: Callable[[], None]
    """Clears the response cache, and those of current editions and of contacts to call."""
    read_again: Callable[[], None]
    """Clears only the latter two."""
    allows_host: Callable[[bytes | None], bool]
    invariants: Invariants
    outside: ExternalServicesMonitor
    watcher: Watcher
    clock: Clock
    draining: Event = field(default_factory=Event)
    """Set when the process is asked to stop: readiness fails, all else is served until it stops."""
    docs_keys: list[tuple[str, dt.datetime]] = field(default_factory=list)
    """The test key of a trial's page `/docs`, and when it was made. Empty until the page is shown."""
    outage: list[str] = field(default_factory=list)
    """Why the database could not be opened so far. Empty once it is open."""
    workers: list[JobsWorker] = field(default_factory=list)
    of_extensions: dict[type, Any] = field(default_factory=dict)
    """Objects that an extension keeps for all its requests, by their class."""

    @property
    def duty_hours(self) -> DutyHours:
        return self.submissions.receipts.duty_hours

    @property
    def desk(self) -> Desk:
        sealer = self.submissions.sealer
        return Desk(self.engine, self.writer, sealer, self.unsealer, self.signer, self.reference_data)


def context_of(request: Request) -> AppContext:
    context: AppContext = request.app.state.context
    return context


async def get_context(request: Request) -> AppContext:
    """`async`, so that FastAPI calls it without a thread."""
    return context_of(request)


async def open_session(request: Request) -> AsyncIterator[Session]:
    """Yield a session.

    On PostgreSQL an extra thread closes it, because all threads of the pool may wait for a connection.
    """
    engine = context_of(request).engine
    session = Session(engine)
    try:
        yield session
    finally:
        if engine.dialect.name == "sqlite":
            session.close()
        else:
            with CancelScope(shield=True):
                await to_thread.run_sync(session.close, limiter=CapacityLimiter(1))


async def get_now(request: Request) -> dt.datetime:
    """Return the time in UTC, by the clock of the application."""
    return context_of(request).clock()


def provide(name: str) -> Any:
    async def get_part(request: Request) -> Any:
        return getattr(context_of(request), name)

    return Depends(get_part)


ContextDep = Annotated[AppContext, Depends(get_context)]
SessionDep = Annotated[Session, Depends(open_session, scope="function")]
NowDep = Annotated[dt.datetime, Depends(get_now)]
SettingsDep = Annotated[Settings, provide("settings")]
EngineDep = Annotated[Engine, provide("engine")]
WriterDep = Annotated[Writer, provide("writer")]
ReferenceDataDep = Annotated[ReferenceData, provide("reference_data")]
SignerDep = Annotated[ReceiptSigner, provide("signer")]
SubmissionsDep = Annotated[Submissions, provide("submissions")]
DeskDep = Annotated[Desk, provide("desk")]
