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
from app.http.cache import ResponseCache
from app.http.held_file import HeldFile
from app.http.metrics import Metrics
from app.services.access.clients import Authenticator
from app.services.access.sign_in import DeskSignIn
from app.services.access.sources import CodeTries
from app.services.audit.lost_entries import LostEntries
from app.services.concerns.entries import Desk
from app.services.concerns.follow_up import FollowUps
from app.services.concerns.receipt_signing import ReceiptSigner
from app.services.concerns.saved_forms import SavedForms
from app.services.concerns.sealing import Unsealer
from app.services.concerns.submission import Submissions
from app.services.guides.editions import Contents
from app.services.guides.reference_data import EmergencyContacts, ReferenceData
from app.services.guides.teams import DutyHours
from app.services.operations.checkpoints import Checkpoints
from app.services.operations.doctor import Examiner
from app.services.operations.external_services import ExternalServicesMonitor
from app.services.operations.invariants import Invariants
from app.services.operations.jobs import StoreProbe
from app.services.operations.watches import Watcher
from app.services.workers import JobsWorker

if TYPE_CHECKING:
    from app.http.tracing import Traces


@dataclass(frozen=True)
class AppContext:
    """The objects that all requests share. `build_context` makes one context for each application."""

    settings: Settings
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
    """A function that clears the response cache, and the caches of current editions and of contacts to call."""
    allows_host: Callable[[bytes | None], bool]
    invariants: Invariants
    outside: ExternalServicesMonitor
    watcher: Watcher
    examiner: Examiner
    clock: Clock
    draining: Event = field(default_factory=Event)
    """An event that is set when the process is asked to stop.

    From then on, readiness fails. All other requests are served until the process stops.
    """
    docs_keys: list[tuple[str, dt.datetime]] = field(default_factory=list)
    """The test key that the page `/docs` shows if this is a trial, and the time at which the key was created.

    The list is empty until the page is first shown.
    """
    outage: list[str] = field(default_factory=list)
    """Why the database could not be opened so far: `no answer` or `damaged`. Empty once it is open."""
    workers: list[JobsWorker] = field(default_factory=list)
    """The background workers that have been started."""

    @property
    def duty_hours(self) -> DutyHours:
        """The rule that says which team answers when."""
        return self.submissions.receipts.duty_hours

    @property
    def desk(self) -> Desk:
        """The objects that all actions of the duty team need."""
        sealer = self.submissions.sealer
        return Desk(self.engine, self.writer, sealer, self.unsealer, self.signer, self.reference_data)


def context_of(request: Request) -> AppContext:
    """Return the context of the application that serves the request."""
    context: AppContext = request.app.state.context
    return context


async def get_context(request: Request) -> AppContext:
    """Return the context of the application. This dependency is `async`, so that FastAPI calls it without a thread."""
    return context_of(request)


async def open_session(request: Request) -> AsyncIterator[Session]:
    """Yield a database session, and close it when the route's function ends. The session connects at its first use.

    Close a PostgreSQL session in an extra thread, because all threads of the usual pool may be waiting for a
    connection. Close a SQLite session without a thread.
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
    """Return the current time by the clock of the application, in UTC."""
    return context_of(request).clock()


def provide(name: str) -> Any:
    """Return a FastAPI dependency that gives a route the attribute `name` of the application's context."""

    async def get_part(request: Request) -> Any:
        return getattr(context_of(request), name)

    return Depends(get_part)


ContextDep = Annotated[AppContext, Depends(get_context)]
SessionDep = Annotated[Session, Depends(open_session, scope="function")]
NowDep = Annotated[dt.datetime, Depends(get_now)]
SettingsDep = Annotated[Settings, provide("settings")]
EngineDep = Annotated[Engine, provide("engine")]
WriterDep = Annotated[Writer, provide("writer")]
ContentsDep = Annotated[Contents, provide("contents")]
ReferenceDataDep = Annotated[ReferenceData, provide("reference_data")]
EmergencyContactsDep = Annotated[EmergencyContacts, provide("emergency_contacts")]
SignerDep = Annotated[ReceiptSigner, provide("signer")]
CheckpointsDep = Annotated[Checkpoints, provide("checkpoints")]
SubmissionsDep = Annotated[Submissions, provide("submissions")]
DeskDep = Annotated[Desk, provide("desk")]
ClockDep = Annotated[Clock, provide("clock")]
