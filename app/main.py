"""`create_app` joins the floors, and does nothing else."""

import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from starlette.types import Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.config import Settings
from app.errors import GuidanceError, SetUpFault
from app.logs import Log
from app.pages.docs import developer_pages as developers
from app.pages.docs import swagger as docs
from app.pages.status import concern_status as following
from app.pages import assets as looks
from app.pages.form import raise_concern as raising
from app.pages.guide import guide_pages as reading
from app.pages.error_page_middleware import TroublePages
from app.routers import (
    audit,
    catalogue,
    concerns,
    desk,
    editions,
    events,
    feeds,
    guides,
    open_referral,
    operations,
    publishing,
    reference,
    security_txt,
)
from app.routers import guide_formats as other_forms
from app.web.middleware.trusted_host import Hosts
from app.web.allowed_hosts import KnownHosts
from app.web.middleware.unhandled_errors import LastCatch
from app.web.middleware.rate_limit import Limits
from app.web.metrics import Metrics
from app.web.negotiation import OtherForms
from app.web.openapi import document_problems
from app.web.middleware.cors import Origins
from app.web.context import Clock, Parts
from app.web.problems import handle_problems
from app.web.middleware.request_body import Receiving
from app.web.middleware.request_log import AroundRequests, AtOnce
from app.web.middleware.security_headers import SecurityHeaders
from app.web.cache.cache import Shelf, ToTheShelf
from app.services.access.clients import Doorkeeper
from app.services.events.dispatcher import Deliverer, DeliveryThread
from app.services.guidance.emergency_contacts import Helpline
from app.services.operations.retention_worker import Housekeeper
from app.services.access.key_files import DEVELOPMENT_IDENTITY, development_recipient, receipt_key, retired_keys
from app.services.access.rate_limiting import make_limiter
from app.services.concerns.unsealing import Opener, read_identities
from app.services.concerns.edition_resolver import Pinner
from app.services.concerns.receipt_signing import make_receipt_signer
from app.services.concerns.receipt_builder import Clerk
from app.services.guidance.reference_data import read_reference_data
from app.services.concerns.submission import Intake
from app.services.concerns.retention import Periods
from app.services.concerns.sealing import make_sealer
from app.services.guidance.seeding import publish_seed
from app.services.operations.generation_watcher import GenerationWatch
from app.services.concerns.working_days import WorkingDays
from app.store.contents import Contents
from app.store.database import open_database
from app.store.schema import prepare_schema
from app.store.writer import Writer

ROUTERS = (
    concerns.router,  # first those that are asked the most, since routes are tried in turn
    publishing.router,  # both before those that would read what follows a path, or its ending, as a name
    other_forms.router,
    editions.time_maps,
    editions.router,
    guides.router,
    catalogue.router,
    reference.router,
    feeds.router,
    open_referral.router,
    desk.router,
    audit.router,
    events.router,
    operations.router,
    looks.router,
    reading.router,
    raising.router,
    following.router,
    developers.router,  # before the one that would read its names as files
    security_txt.router,
    docs.router,
)

log = Log(__name__)


def utc_now() -> dt.datetime:
    """The clock of a running service."""
    return dt.datetime.now(dt.UTC)


def join_parts(settings: Settings, clock: Clock) -> Parts:
    """Read the keys and the reference data, and join the parts. Raises `SetUpFault` and `SeedFileError`."""
    engine = open_database(settings.data_dir, settings.database_address)
    recipients, identity_file = settings.seal_to, settings.seal_identity_file
    if not recipients:
        recipients = (development_recipient(settings.data_dir, at=clock()),)
        identity_file = identity_file or settings.data_dir / DEVELOPMENT_IDENTITY
    reference_data = read_reference_data(settings.seed_dir)
    signer = make_receipt_signer(
        receipt_key(settings.receipt_key_file, settings.data_dir), retired_keys(settings.retired_receipt_keys)
    )
    known_hosts = KnownHosts(public_url=settings.public_url, allowed_hosts=settings.allowed_hosts)
    shelf, metrics = Shelf(settings.shelf_megabytes, known_hosts.know), Metrics()
    contents = Contents(engine)
    pinner = Pinner(engine, reference_data, contents)

    def forget() -> None:
        pinner.forget()
        shelf.clear()

    intake = Intake(
        engine=engine,
        writer=Writer(
            engine,
            queue_size=settings.writer_queue,
            wait_seconds=settings.writer_wait_seconds,
            when_raised=forget,
            when_flushed=metrics.record_flush,
        ),
        sealer=make_sealer(recipients),
        clerk=Clerk(signer, WorkingDays(), reference_data),
        reference_data=reference_data,
        contents=contents,
        pinner=pinner,
    )
    return Parts(
        settings=settings,
        engine=engine,
        reference_data=reference_data,
        intake=intake,
        opener=read_identities(identity_file) if identity_file else Opener(),
        helpline=Helpline(engine),
        doorkeeper=_doorkeeper(settings, engine),
        metrics=metrics,
        shelf=shelf,
        forget=forget,
        known_hosts=known_hosts,
        clock=clock,
    )


def _doorkeeper(settings: Settings, engine: Engine) -> Doorkeeper:
    provider = None
    if settings.openid_issuer is not None:
        from app.services.access.openid import open_provider  # noqa: PLC0415  # only where there is one

        provider = open_provider(
            issuer=settings.openid_issuer,
            audience=settings.openid_audience or "",
            jwks_url=settings.openid_jwks_url or "",
        )
    return Doorkeeper(engine, provider)


class Service(FastAPI):
    """The framework, with what stands before it: the shelf answers many times as fast as the framework begins to."""

    front: AroundRequests

    @property
    def at_once(self) -> Callable[[Scope], AtOnce | None]:
        """Finds the answer to a read that stands finished on the shelf, for a server that can write it as it is."""
        return self.front.at_once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self.front(scope, receive, send)

    async def behind(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request by the framework alone."""
        await super().__call__(scope, receive, send)


def create_app(settings: Settings, clock: Clock = utc_now) -> Service:
    """The service. Nothing is opened until it starts."""

    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        parts: Parts = app.state.parts
        with ExitStack() as ending:
            ending.callback(parts.engine.dispose)
            try:
                _prepare(parts, ending)
            except GuidanceError as fault:
                app.state.start_fault = fault  # for whoever started the service: a log line holds no words of an error
                raise
            _begin_work(parts, ending)
            yield

    app = Service(
        title=reference.NAME,
        version=reference.VERSION,
        lifespan=live,
        openapi_url=None,  # a page of this service's own, kept and named like every public read
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # not by `include_router`, which builds every route once more
        routes=[route for router in ROUTERS for route in router.routes],
    )
    app.state.parts = join_parts(settings, clock)
    handle_problems(app)
    document_problems(app)
    app.add_middleware(OtherForms)
    _surround(app, settings)
    return app


def _prepare(parts: Parts, ending: ExitStack) -> None:
    """Bring the database to where it can be served, with the writer at work."""
    settings, writer = parts.settings, parts.intake.writer
    try:
        prepare_schema(parts.engine, settings.data_dir)
    except DBAPIError:
        raise SetUpFault("the database does not answer, or cannot be written") from None
    writer.start()
    ending.callback(writer.stop)
    publish_seed(parts.engine, writer, parts.reference_data, settings.seed_dir, at=parts.clock())


def _begin_work(parts: Parts, ending: ExitStack) -> None:
    """Begin what a serving process does by itself, and say what an operator should know."""
    settings, writer = parts.settings, parts.intake.writer
    if settings.database_url is not None and settings.receipt_key_file is None:
        log.warning("receipt_key_of_this_node_alone", path=str(settings.data_dir))
    if not settings.seal_to:
        log.warning("development_identity", path=str(settings.data_dir))
    parts.helpline.contacts()  # remembered from now on, whatever becomes of the database
    periods = Periods(settings.retention_acknowledged_days, settings.retention_closed_days)
    at_work: list[Housekeeper | GenerationWatch | DeliveryThread] = [
        Housekeeper(parts.engine, writer, periods, parts.clock),
        GenerationWatch(parts.engine, parts.forget),
    ]
    if settings.deliver:
        allowed_hosts = frozenset(settings.webhook_allowed_hosts)
        at_work.append(DeliveryThread(Deliverer(writer, allowed_hosts, parts.clock)))
    for each in at_work:
        each.start()
        ending.callback(each.stop)


def _surround(app: Service, settings: Settings) -> None:
    """Put the middleware around the routes; the last to be added is the first to be asked."""
    limiter = make_limiter(settings.limits_store, settings.limits_secret_file)
    parts: Parts = app.state.parts
    app.add_middleware(
        Receiving,
        seconds=settings.client_seconds,
        most_at_work=settings.concurrent_requests,
        draining=parts.draining,
    )
    app.add_middleware(Limits, limiter=limiter, settings=settings)
    app.add_middleware(Hosts, known=parts.known_hosts)
    app.add_middleware(LastCatch)
    app.add_middleware(TroublePages, parts=parts)
    app.add_middleware(Origins, allowed_origins=settings.allowed_origins)
    app.add_middleware(SecurityHeaders, is_https=settings.public_url.startswith("https:"))
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
    app.front = AroundRequests(ToTheShelf(app.behind, parts.shelf), parts.shelf, parts.metrics)
