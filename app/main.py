"""Builds the application: `create_app` joins the layers, and does nothing else."""

import datetime as dt
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager

from anyio import to_thread
from fastapi import APIRouter, FastAPI
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from app.about import NAME, VERSION
from app.assembly import build_context
from app.config import Settings
from app.errors import GuidanceError, SetupError
from app.logs import Log
from app.pages import api_docs, assets, concern_status, raise_concern
from app.pages.desk import (
    acts,
    concern,
    day,
    record,
    sign_in,
)
from app.pages.desk import inbox as inbox_pages
from app.pages.edit import edit_pages, preview
from app.pages.error_pages import ErrorPageMiddleware
from app.pages.guide import guide_index, guide_pages, rendition_pages, search_page
from app.pages.languages import LanguageMiddleware
from app.routers import (
    assignment,
    assistants,
    audit,
    catalogue,
    concerns,
    desk,
    discovery,
    editions,
    entries,
    events,
    exports,
    feeds,
    figures,
    formats,
    guide_drafts,
    guides,
    hand_overs,
    inbox,
    open_referral,
    operations,
    publishing,
    reference,
    renditions,
    security_txt,
    statistics,
)
from app.services.events.webhooks import open_webhook_keys
from app.services.guidance.seeding import publish_seed, publish_seed_renditions
from app.services.operations.jobs import Housekeeping
from app.services.operations.workers import stop_workers
from app.store.database import simultaneous_reads
from app.store.editions import find_history
from app.store.schema import prepare_schema
from app.web.cache.middleware import CacheMiddleware
from app.web.context import AppContext, Clock
from app.web.middleware.cors import CorsMiddleware
from app.web.middleware.forwarded import ForwardedAddressMiddleware
from app.web.middleware.rate_limit import RateLimitMiddleware
from app.web.middleware.request_body import RequestBodyMiddleware
from app.web.middleware.request_log import RequestLogMiddleware, RequestRecords
from app.web.middleware.security_headers import SecurityHeadersMiddleware
from app.web.middleware.trusted_host import TrustedHostMiddleware
from app.web.middleware.unhandled_errors import UnhandledErrorMiddleware
from app.web.negotiation import NegotiationMiddleware
from app.web.openapi import JsonObject, build_document
from app.web.problems import add_problem_handlers

PARAMETER = re.compile(r"{[^}]*}")
ROUTERS = (
    concerns.router,
    formats.router,
    editions.router,
    guides.router,
    renditions.router,
    guide_drafts.router,
    preview.router,
    publishing.router,
    catalogue.router,
    reference.router,
    discovery.router,
    feeds.router,
    open_referral.router,
    inbox.router,
    desk.router,
    entries.router,
    assignment.router,
    hand_overs.router,
    exports.router,
    figures.router,
    audit.router,
    statistics.router,
    events.router,
    assistants.router,
    operations.router,
    assets.router,
    guide_index.router,
    search_page.router,
    guide_pages.router,
    rendition_pages.router,
    raise_concern.router,
    concern_status.router,
    sign_in.router,
    inbox_pages.router,
    record.router,
    concern.router,
    acts.router,
    day.router,
    edit_pages.router,
    preview.page_router,
    security_txt.router,
    api_docs.router,
)

log = Log(__name__)


def utc_now() -> dt.datetime:
    """Return the current time: the clock of a running service."""
    return dt.datetime.now(dt.UTC)


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
            self.openapi_schema = build_document(self, self.state.context.settings)
        return self.openapi_schema


def routes_of(routers: Iterable[APIRouter]) -> list[BaseRoute]:
    """Return the routes, those with more letters of their own first: so none depends on its place in a list.

    A path that two routes take, such as `/v1/concerns/form`, is for the one that names it.
    """
    routes = [route for router in routers for route in router.routes]
    return sorted(routes, key=lambda route: -len(PARAMETER.sub("", getattr(route, "path", ""))))


def create_app(settings: Settings, clock: Clock = utc_now) -> GuidanceApp:
    """Build the application. Nothing is opened until it starts."""

    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        context: AppContext = app.state.context
        with ExitStack() as ending:
            ending.callback(context.engine.dispose)
            if context.traces is not None:
                ending.callback(context.traces.close)
            try:
                _prepare(context, ending)
            except GuidanceError as fault:
                app.state.start_fault = fault  # for the process that started it: a log line has no message of an error
                raise
            _start_workers(context, ending)
            to_thread.current_default_thread_limiter().total_tokens = simultaneous_reads(context.engine)
            yield

    app = GuidanceApp(
        title=NAME,
        version=VERSION,
        lifespan=live,
        openapi_url=None,  # served by a route of this service, cached like every public read
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # the service has its own, with no path
        routes=routes_of(ROUTERS),  # not by `include_router`, which builds every route once more
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
    open_webhook_keys(settings).load()
    publish_seed(context.engine, writer, context.reference_data, settings.seed_dir, at=context.clock())
    publish_seed_renditions(context.engine, writer, settings.seed_dir, at=context.clock())
    with Session(context.engine) as session:
        if settings.default_guide is not None and not find_history(session, guide=settings.default_guide):
            raise SetupError("GUIDANCE_DEFAULT_GUIDE names no published guide")


def _start_workers(context: AppContext, ending: ExitStack) -> None:
    """Start the background workers, and log warnings for the operator."""
    settings = context.settings
    if settings.database_url is not None and settings.receipt_key_file is None:
        log.warning("receipt_key_not_shared", path=str(settings.data_dir))
    if settings.database_url is not None and settings.webhook_key_file is None:
        log.warning("webhook_key_not_shared", path=str(settings.data_dir))
    if not settings.seal_to:
        log.warning("development_identity", path=str(settings.data_dir))
    contacts = context.emergency_contacts.current()  # cached from now on, in case the database fails later
    unchecked = [each for each in contacts if each.phones and each.verified_on is None]
    if settings.seal_to and unchecked:
        log.warning("duty_number_unverified", count=len(unchecked))
    housekeeping = Housekeeping(
        settings=settings,
        engine=context.engine,
        writer=context.writer,
        key_uses=context.authenticator.key_uses,
        checkpoints=context.checkpoints,
        invariants=context.invariants,
        clock=context.clock,
    )
    context.workers[:] = housekeeping.build_workers(context.invalidate_caches)
    ending.callback(stop_workers, context.workers)
    for worker in context.workers:
        worker.start()


def _add_middleware(app: GuidanceApp, settings: Settings) -> None:
    """Add the middleware around the routes; the last to be added is called first."""
    context: AppContext = app.state.context
    app.add_middleware(
        RequestBodyMiddleware,
        seconds=settings.client_seconds,
        most_at_work=settings.concurrent_requests,
        draining=context.draining,
    )
    app.add_middleware(RateLimitMiddleware, limiter=context.code_tries.limiter, settings=settings)
    app.add_middleware(TrustedHostMiddleware, allows_host=context.allows_host)
    app.add_middleware(UnhandledErrorMiddleware)
    app.add_middleware(ErrorPageMiddleware, context=context)
    app.add_middleware(CorsMiddleware, allowed_origins=settings.allowed_origins)
    app.add_middleware(LanguageMiddleware)
    app.add_middleware(SecurityHeadersMiddleware, is_https=settings.is_https)
    if settings.trusted_proxies:
        app.add_middleware(ForwardedAddressMiddleware, trusted_proxies=settings.trusted_proxies)
    app.records = RequestRecords(context.metrics, context.traces)
    app.front = RequestLogMiddleware(CacheMiddleware(app.behind, context.response_cache), app.records)
