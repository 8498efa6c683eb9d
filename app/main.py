"""Builds the application: `create_app` joins the layers, and does nothing else."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from starlette.types import Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.about import NAME, VERSION
from app.config import Settings
from app.errors import GuidanceError, SetupError
from app.logs import Log
from app.pages import assets
from app.pages.docs import developer_pages, swagger
from app.pages.error_page_middleware import ErrorPageMiddleware
from app.pages.form import raise_concern
from app.pages.guide import guide_pages
from app.pages.status import concern_status
from app.routers import (
    audit,
    catalogue,
    concerns,
    desk,
    editions,
    events,
    feeds,
    guide_formats,
    guides,
    mcp,
    open_referral,
    operations,
    publishing,
    reference,
    security_txt,
)
from app.services.access.clients import Authenticator
from app.services.access.key_files import (
    DEVELOPMENT_IDENTITY,
    load_development_recipient,
    load_receipt_key,
    load_retired_keys,
)
from app.services.access.openid import open_provider
from app.services.access.rate_limiting import make_limiter
from app.services.concerns.edition_resolver import EditionResolver
from app.services.concerns.follow_up import FollowUps
from app.services.concerns.receipt_builder import ReceiptBuilder
from app.services.concerns.receipt_signing import make_receipt_signer
from app.services.concerns.retention import RetentionPeriods
from app.services.concerns.sealing import make_sealer
from app.services.concerns.submission import Submissions
from app.services.concerns.unsealing import Unsealer, read_identities
from app.services.concerns.working_days import WorkingDays
from app.services.events.dispatcher import DispatcherThread, WebhookDispatcher
from app.services.guidance.emergency_contacts import EmergencyContacts
from app.services.guidance.reference_data import read_reference_data
from app.services.guidance.seeding import publish_seed
from app.services.operations.workers import GenerationWatcher, PeriodicWorker, RetentionWorker
from app.store.contents import Contents
from app.store.database import open_database
from app.store.schema import prepare_schema
from app.store.writer import Writer
from app.web.cache.cache import ResponseCache
from app.web.cache.middleware import CacheMiddleware
from app.web.context import AppContext, Clock
from app.web.metrics import Metrics
from app.web.middleware.cors import CorsMiddleware
from app.web.middleware.rate_limit import RateLimitMiddleware
from app.web.middleware.request_body import RequestBodyMiddleware
from app.web.middleware.request_log import RequestLogMiddleware, RequestRecords
from app.web.middleware.security_headers import SecurityHeadersMiddleware
from app.web.middleware.trusted_host import TrustedHostMiddleware, make_host_check
from app.web.middleware.unhandled_errors import UnhandledErrorMiddleware
from app.web.negotiation import NegotiationMiddleware
from app.web.openapi import JsonObject, build_document
from app.web.problems import add_problem_handlers

ROUTERS = (
    concerns.router,  # first the most used, since routes are tried in order
    publishing.router,  # both before routes that would take the rest of the path as a name
    guide_formats.router,
    editions.router,
    guides.router,
    catalogue.router,
    reference.router,
    feeds.router,
    open_referral.router,
    desk.router,
    audit.router,
    events.router,
    mcp.router,
    operations.router,
    assets.router,
    guide_pages.router,
    raise_concern.router,
    concern_status.router,
    developer_pages.router,  # before the route that would take its names as files
    security_txt.router,
    swagger.router,
)

log = Log(__name__)


def utc_now() -> dt.datetime:
    """Return the current time: the clock of a running service."""
    return dt.datetime.now(dt.UTC)


def build_context(settings: Settings, clock: Clock) -> AppContext:
    """Read the keys and the reference data, and build the context. Raises `SetupError` and `SeedFileError`."""
    engine = open_database(settings.data_dir, settings.database_address)
    recipients, identity_file = settings.seal_to, settings.seal_identity_file
    if not recipients:
        recipients = (load_development_recipient(settings.data_dir, at=clock()),)
        identity_file = identity_file or settings.data_dir / DEVELOPMENT_IDENTITY
    sealer, reference_data = make_sealer(recipients), read_reference_data(settings.seed_dir)
    signer = make_receipt_signer(
        load_receipt_key(settings.receipt_key_file, settings.data_dir), load_retired_keys(settings.retired_receipt_keys)
    )
    allows_host = make_host_check(public_url=settings.public_url, allowed_hosts=settings.allowed_hosts)
    response_cache, metrics = ResponseCache(settings.shelf_megabytes, allows_host), Metrics()
    contents = Contents(engine)
    resolver = EditionResolver(engine, reference_data, contents)
    receipts = ReceiptBuilder(signer, WorkingDays(), reference_data)

    def invalidate_caches() -> None:
        resolver.invalidate()
        response_cache.clear()

    writer = Writer(
        engine,
        queue_size=settings.writer_queue,
        wait_seconds=settings.writer_wait_seconds,
        on_generation_raised=invalidate_caches,
        on_flush=metrics.record_flush,
    )
    return AppContext(
        settings=settings,
        engine=engine,
        writer=writer,
        contents=contents,
        reference_data=reference_data,
        signer=signer,
        unsealer=read_identities(identity_file) if identity_file else Unsealer(),
        submissions=Submissions(engine, writer, resolver, sealer, receipts),
        follow_ups=FollowUps(engine, writer, contents, sealer, receipts),
        emergency_contacts=EmergencyContacts(engine),
        authenticator=_authenticator(settings, engine),
        metrics=metrics,
        response_cache=response_cache,
        invalidate_caches=invalidate_caches,
        allows_host=allows_host,
        clock=clock,
    )


def _authenticator(settings: Settings, engine: Engine) -> Authenticator:
    provider = None
    if settings.openid_issuer is not None:
        provider = open_provider(
            issuer=settings.openid_issuer,
            audience=settings.openid_audience or "",
            jwks_url=settings.openid_jwks_url or "",
        )
    return Authenticator(engine, provider)


class GuidanceApp(FastAPI):
    """The FastAPI application, with the response cache in front of it, which is many times as fast."""

    front: RequestLogMiddleware
    records: RequestRecords

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self.front(scope, receive, send)

    async def behind(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request without the response cache."""
        await super().__call__(scope, receive, send)

    def openapi(self) -> JsonObject:
        """Return the OpenAPI document, built at the first call."""
        if self.openapi_schema is None:
            self.openapi_schema = build_document(self)
        return self.openapi_schema


def create_app(settings: Settings, clock: Clock = utc_now) -> GuidanceApp:
    """Build the application. Nothing is opened until it starts."""

    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        context: AppContext = app.state.context
        with ExitStack() as ending:
            ending.callback(context.engine.dispose)
            try:
                _prepare(context, ending)
            except GuidanceError as fault:
                app.state.start_fault = fault  # for the process that started it: a log line has no message of an error
                raise
            _start_workers(context, ending)
            yield

    app = GuidanceApp(
        title=NAME,
        version=VERSION,
        lifespan=live,
        openapi_url=None,  # served by a route of this service, cached like every public read
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # not by `include_router`, which builds every route once more
        routes=[route for router in ROUTERS for route in router.routes],
    )
    app.state.context = build_context(settings, clock)
    add_problem_handlers(app)
    app.add_middleware(NegotiationMiddleware)
    _add_middleware(app, settings)
    return app


def _prepare(context: AppContext, ending: ExitStack) -> None:
    """Prepare the schema, start the writer and publish the seed."""
    settings, writer = context.settings, context.writer
    try:
        prepare_schema(context.engine, settings.data_dir)
    except DBAPIError:
        raise SetupError("the database does not answer, or cannot be written") from None
    writer.start()
    ending.callback(writer.stop)
    publish_seed(context.engine, writer, context.reference_data, settings.seed_dir, at=context.clock())


def _start_workers(context: AppContext, ending: ExitStack) -> None:
    """Start the background workers, and log warnings for the operator."""
    settings, writer = context.settings, context.writer
    if settings.database_url is not None and settings.receipt_key_file is None:
        log.warning("receipt_key_not_shared", path=str(settings.data_dir))
    if not settings.seal_to:
        log.warning("development_identity", path=str(settings.data_dir))
    context.emergency_contacts.current()  # cached from now on, in case the database fails later
    periods = RetentionPeriods(settings.retention_acknowledged_days, settings.retention_closed_days)
    workers: list[PeriodicWorker] = [
        RetentionWorker(context.engine, writer, periods, context.clock),
        GenerationWatcher(context.engine, context.invalidate_caches),
    ]
    if settings.deliver:
        allowed_hosts = frozenset(settings.webhook_allowed_hosts)
        workers.append(DispatcherThread(WebhookDispatcher(writer, allowed_hosts, context.clock)))
    for worker in workers:
        worker.start()
        ending.callback(worker.stop)


def _add_middleware(app: GuidanceApp, settings: Settings) -> None:
    """Add the middleware around the routes; the last to be added is called first."""
    limiter = make_limiter(settings.limits_store, settings.limits_secret_file)
    context: AppContext = app.state.context
    app.add_middleware(
        RequestBodyMiddleware,
        seconds=settings.client_seconds,
        most_at_work=settings.concurrent_requests,
        draining=context.draining,
    )
    app.add_middleware(RateLimitMiddleware, limiter=limiter, settings=settings)
    app.add_middleware(TrustedHostMiddleware, allows_host=context.allows_host)
    app.add_middleware(UnhandledErrorMiddleware)
    app.add_middleware(ErrorPageMiddleware, context=context)
    app.add_middleware(CorsMiddleware, allowed_origins=settings.allowed_origins)
    app.add_middleware(SecurityHeadersMiddleware, is_https=settings.public_url.startswith("https:"))
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
    app.records = RequestRecords(context.metrics)
    app.front = RequestLogMiddleware(CacheMiddleware(app.behind, context.response_cache), app.records)
