"""The ASGI application. `create_app` builds the application from the settings."""

import datetime as dt
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread
from fastapi import APIRouter, FastAPI
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, SQLModel
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from app.age.keys import fingerprint_of
from app.build import VERSION
from app.clock import Clock, utc_now
from app.config import NAME, Settings
from app.db.database import (
    MAX_CONNECTIONS,
    NO_ANSWER,
    OPENING,
    POOL_SIZE,
    describe_outage,
    open_database,
    open_to_requests,
)
from app.db.schema import prepare_schema
from app.db.tables import TABLES
from app.db.writer import Writer
from app.errors import ExtraMissing, GuidanceError, SeedFileError, SetupError, StoreBusy
from app.extensions import Extension, modules_of, switched_on, together
from app.http.cache import ResponseCache
from app.http.context import AppContext
from app.http.door import Door, steps_of
from app.http.held import HeldGuidance
from app.http.held_file import HeldFile, Numbers
from app.http.hosts import make_host_check
from app.http.log_requests import RequestRecords
from app.http.metrics import Metrics
from app.http.openapi import JsonObject, build_document
from app.http.problem_handlers import add_problem_handlers
from app.logs import Log
from app.models.guides.edition_files import read_edition_file
from app.models.guides.sections import Section
from app.models.guides.seed_files import edition_place
from app.models.links import GUIDES, SIGNPOSTS, guide_page_path, guide_path, rendition_page_path, rendition_path
from app.pages import access as access_pages
from app.pages import assets
from app.pages import audit as audit_pages
from app.pages import concerns as concerns_pages
from app.pages import desk as desk_pages
from app.pages import guides as guides_pages
from app.pages import operations as operations_pages
from app.pages.error_pages import find_language
from app.pages.languages import LANGUAGES
from app.routers import audit, concerns, desk, events, guides, operations
from app.services.access.clients import Authenticator
from app.services.access.limits import make_limiter, make_policy
from app.services.access.openid_tokens import open_provider
from app.services.access.row_signing import open_access_keys, require_access_keys
from app.services.access.sign_in import open_desk_sign_in
from app.services.access.sources import CodeTries, Sources
from app.services.audit.lost_entries import LostEntries
from app.services.clock.teams import DutyHours
from app.services.clock.working_days import WorkingDays
from app.services.concerns.edition_resolver import EditionResolver
from app.services.concerns.follow_up import FollowUps
from app.services.concerns.keys import (
    DEVELOPMENT_IDENTITY,
    load_development_recipient,
    load_receipt_key,
    load_retired_keys,
)
from app.services.concerns.receipt_signing import make_receipt_signer
from app.services.concerns.receipts import TIMES_FOR_DANGER, ReceiptBuilder
from app.services.concerns.saved_forms import SHARE_BYTES, SavedForms
from app.services.concerns.sealing import Unsealer, make_sealer, read_identities
from app.services.concerns.submission import Submissions
from app.services.events.email_sender import EmailSender
from app.services.events.webhook_keys import open_webhook_keys
from app.services.guides.editions import Contents, find_history, list_languages, list_versions
from app.services.guides.publishing import publish_seed
from app.services.guides.reference_data import EmergencyContacts, read_reference_data
from app.services.operations.checkpoints import open_checkpoints
from app.services.operations.external_services import ExternalServicesMonitor
from app.services.operations.invariants import Invariants
from app.services.operations.jobs import Housekeeping, StoreProbe
from app.services.operations.watches import Watcher, require_known_warnings
from app.services.workers import Job, JobsWorker, stop_workers

if TYPE_CHECKING:
    from app.http.tracing import Traces

ROUTERS = (
    *concerns.ROUTERS,
    *guides.ROUTERS,
    *desk.ROUTERS,
    *audit.ROUTERS,
    *events.ROUTERS,
    *operations.ROUTERS,
    assets.router,
    *guides_pages.ROUTERS,
    *concerns_pages.ROUTERS,
    *access_pages.ROUTERS,
    *audit_pages.ROUTERS,
    *desk_pages.ROUTERS,
    *operations_pages.ROUTERS,
)
OPENING_SECONDS = 1.0
"""Between two attempts to open the database in an outage."""
log = Log(__name__)


def build_context(settings: Settings, clock: Clock) -> AppContext:
    """Open the database, the keys and the reference data.

    A missing key that signs receipts is created, and without recipients a development identity, to which concerns are
    then encrypted. Raise `SetupError` for a wrong setting or key file, `SeedFileError` for reference data.
    """
    engine, metrics = open_database(settings.data_dir, settings.database_address), Metrics()
    open_access_keys(settings, engine).on_refused = metrics.record_refused_row
    recipients, identity_file = settings.seal_to, settings.seal_identity_file
    if not recipients:
        recipients = (load_development_recipient(settings.data_dir, at=clock()),)
        identity_file = identity_file or settings.data_dir / DEVELOPMENT_IDENTITY
    sealer = make_sealer(recipients)
    reference_data = read_reference_data(settings.seed_dir, settings.council, settings.out_of_hours_phone)
    key = load_receipt_key(settings.receipt_key_file, settings.data_dir)
    signer = make_receipt_signer(key, load_retired_keys(settings.retired_receipt_keys), issuer=settings.public_url)
    allows_host = make_host_check(public_url=settings.public_url, allowed_hosts=settings.allowed_hosts)
    extensions = switched_on(settings.extensions)
    added = together(extensions)
    response_cache = ResponseCache(settings.cache_megabytes, allows_host, clock, frozenset(added.uncached))
    contents = Contents(engine)
    resolver = EditionResolver(engine, reference_data, contents, settings.default_guide)
    duty_hours = DutyHours(WorkingDays(), settings.duty_hours)
    clocks = {answer: dt.timedelta(minutes=getattr(settings, name)) for answer, name in TIMES_FOR_DANGER.items()}
    promised = [answer for answer, name in TIMES_FOR_DANGER.items() if name in settings.model_fields_set]
    receipts = ReceiptBuilder(signer, duty_hours, reference_data, settings.come_back_days, clocks, promised)

    emergency_contacts = EmergencyContacts(engine, reference_data, settings.default_guide)

    def read_again() -> None:
        emergency_contacts.invalidate()
        resolver.invalidate()
        emergency_contacts.current()  # read the contacts again now, so that no response waits for the database

    def invalidate_caches() -> None:
        emergency_contacts.invalidate()
        resolver.invalidate()
        response_cache.clear()
        emergency_contacts.current()  # as in `read_again`

    traces = _open_traces(settings.traces_url)

    def record_flush(operations: int, seconds: float) -> None:
        metrics.record_flush(operations, seconds)
        if traces is not None:
            traces.record_flush(operations, seconds)

    writer = Writer(
        engine,
        queue_size=settings.writer_queue,
        wait_seconds=settings.writer_wait_seconds,
        on_generation_raised=invalidate_caches,
        on_flush=record_flush,
    )
    limiter = make_limiter(settings.limits_store, settings.limits_secret_file)
    sources = Sources(
        limiter,
        unmarked=make_policy("unmarked", settings.limit_unmarked),
        most=make_policy("anonymous", settings.limit_anonymous),
        flood=make_policy("flood", settings.limit_flood),
        saved_bytes=make_policy("saved-bytes", f"{SHARE_BYTES}/day"),
    )
    submissions = Submissions(writer, resolver, sealer, receipts, sources, metrics.count_concern)
    code_tries = CodeTries(
        limiter,
        wrong=make_policy("code-tries", settings.limit_code_tries),
        wrong_of_network=make_policy("wrong-codes", settings.limit_wrong_codes),
        right=make_policy("right-codes", settings.limit_status),
    )
    provider = open_provider(settings)
    return AppContext(
        settings=settings,
        extensions=extensions,
        added=added,
        engine=engine,
        writer=writer,
        contents=contents,
        reference_data=reference_data,
        signer=signer,
        checkpoints=open_checkpoints(settings, writer, key),
        lost_entries=LostEntries(settings.data_dir, writer, clock),
        unsealer=_unsealer(identity_file),
        submissions=submissions,
        store_probe=StoreProbe(submissions, clock),
        invariants=Invariants(engine, [fingerprint_of(each) for each in settings.seal_to], clock),
        outside=ExternalServicesMonitor(settings, engine, clock),
        watcher=Watcher(settings, engine, clock),
        code_tries=code_tries,
        saved_forms=SavedForms(writer),
        follow_ups=FollowUps(writer, resolver, sealer, receipts, sources, code_tries),
        emergency_contacts=emergency_contacts,
        authenticator=Authenticator(engine, provider.read_token if provider is not None else None),
        desk_sign_in=open_desk_sign_in(settings, writer, provider),
        metrics=metrics,
        traces=traces,
        response_cache=response_cache,
        held_file=HeldFile(settings, key, clock),
        invalidate_caches=invalidate_caches,
        read_again=read_again,
        allows_host=allows_host,
        clock=clock,
    )


def _open_traces(url: str | None) -> "Traces | None":
    if url is None:
        return None
    try:
        from app.http.tracing import Traces  # noqa: PLC0415  # an extra
    except ImportError:
        raise ExtraMissing("GUIDANCE_TRACES_URL", "traces") from None
    return Traces(url)


def _unsealer(identity_file: Path | None) -> Unsealer:
    if identity_file is None:
        return Unsealer()
    try:
        return read_identities(identity_file)
    except SetupError as fault:
        raise SetupError(f"GUIDANCE_SEAL_IDENTITY_FILE: {fault}") from None


def routes_of(routers: Iterable[APIRouter]) -> list[BaseRoute]:
    """Each before every more general route that also matches its path: the order of declaration does not matter."""
    ordered: list[Route] = []
    for route in (each for router in routers for each in router.routes if isinstance(each, Route)):
        places = (place for place, other in enumerate(ordered) if _takes(other, route) and not _takes(route, other))
        ordered.insert(next(places, len(ordered)), route)
    return [*ordered]


def _takes(route: Route, other: Route) -> bool:
    return route.path_regex.match(other.path) is not None


@cache
def routes_with(extensions: tuple[Extension, ...]) -> list[BaseRoute]:
    """Return the routes of the trunk and `extensions`. Raise `SetupError` for a table that not every program knows."""
    added = [router for each in modules_of("routers", extensions) for router in each.ROUTERS]
    if forgotten := ", ".join(sorted(SQLModel.metadata.tables.keys() - TABLES)):
        raise SetupError(f"an extension does not name its table {forgotten}")
    return routes_of([*ROUTERS, *added])


class GuidanceApp(FastAPI):
    door: Door
    held: HeldGuidance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.door(scope, receive, send)

    def openapi(self) -> JsonObject:
        """Built at the first call."""
        if self.openapi_schema is None:
            self.openapi_schema = build_document(self, self.state.context.settings)
        return self.openapi_schema


def create_app(settings: Settings, clock: Clock = utc_now) -> GuidanceApp:
    """Return the application. The database is not read or written until it starts.

    Raise what `build_context` raises. A `GuidanceError` that later prevents the start is kept in
    `app.state.start_fault`.
    """
    context = build_context(settings, clock)

    @asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as ending:
            ending.callback(context.engine.dispose)
            if context.traces is not None:
                ending.callback(context.traces.close)
            opening = Opening(app, ending)
            if not opening.succeeds():
                opening.start()
            # A connection of SQLite takes 0.6 MB, most of it for the rules, and waits for no network: half of the pool.
            to_thread.current_default_thread_limiter().total_tokens = (
                POOL_SIZE if context.engine.dialect.name == "sqlite" else MAX_CONNECTIONS
            )
            yield
            opening.stop()

    app = GuidanceApp(
        title=NAME,
        version=VERSION,
        lifespan=live,
        openapi_url=None,  # served by a route of this service, cached like every public read
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # the service's own telemetry has no paths
        routes=[*routes_with(context.extensions)],  # not through `include_router`, which builds every route again
    )
    app.state.context, app.state.on_refused = context, lambda: None
    add_problem_handlers(app)
    records = RequestRecords(context.metrics, context.traces)
    app.door = Door(app, partial(FastAPI.__call__, app), steps_of(context, find_language), records)
    app.held = HeldGuidance(
        context.response_cache,
        app.door.serve,
        partial(held_versions, context.engine),
        context.read_again,
        context.held_file,
        lambda: Numbers(*context.emergency_contacts.kept),
    )
    return app


class Opening(JobsWorker):
    """Opens the database. During an outage, tries again in a thread, while `app` serves what it holds."""

    def __init__(self, app: GuidanceApp, ending: ExitStack) -> None:
        super().__init__(OPENING, [Job(OPENING, OPENING_SECONDS, lambda _: self._try_again(), OPENING_SECONDS)])
        self._app = app
        self._context: AppContext = app.state.context
        self._ending = ending

    def succeeds(self) -> bool:
        """Check the database, open it to requests and start the workers. Return False in an outage.

        A `GuidanceError` that must stop the service is stored in `app.state.start_fault`, and raised.
        """
        context = self._context
        try:
            try:
                _prepare(context, self._ending)
            except (SQLAlchemyError, StoreBusy) as failure:
                outage = self._describe(failure)
                if outage is None:
                    raise SetupError("the database refuses what its address asks for") from None
                self._wait(outage, failure)
                return False
            open_to_requests(context.engine, is_open=True)
            if context.outage:
                context.outage.clear()
                log.info("database_opened")
            _start_workers(context, self._ending)
        except GuidanceError as fault:
            self._app.state.start_fault = fault  # for the caller: the log has no error messages
            raise
        return True

    def _describe(self, failure: SQLAlchemyError | StoreBusy) -> str | None:
        if isinstance(failure, StoreBusy):
            return NO_ANSWER
        return describe_outage(failure, is_known=self._context.held_file.read() is not None)

    def _wait(self, outage: str, failure: Exception) -> None:
        context = self._context
        if not context.outage:
            open_to_requests(context.engine, is_open=False)
            context.emergency_contacts.use(*(self._app.held.restore() or _seed_numbers(context.settings)))
        if context.outage != [outage]:
            context.outage[:] = [outage]
            log.warning("database_not_opened", reason=outage, error=type(failure).__name__)
        context.engine.pool.dispose()  # a file that was put back is another file

    def _try_again(self) -> None:
        try:
            if self.succeeds():
                self.request_stop()
        except GuidanceError as fault:
            log.error("start_refused", error=type(fault).__name__)
            self.request_stop()
            self._app.state.on_refused()


def _seed_numbers(settings: Settings) -> Numbers:
    with suppress(SeedFileError):
        found = (settings.first_guides / "guides").glob(f"{settings.default_guide or '*'}/*.yaml")
        files = sorted(found, key=edition_place)
        if editions := [path for path in files if path.parent == files[0].parent]:
            content = read_edition_file(editions[-1]).content
            return Numbers(content.contacts, content.publisher)
    return Numbers()


def _prepare(context: AppContext, ending: ExitStack) -> None:
    """Prepare the schema, check the settings, start the writer, and publish the seed. Raise what prevents the start."""
    settings, writer = context.settings, context.writer
    prepare_schema(context.engine, settings.data_dir, migrates=True)
    require_startable(settings, context.engine)
    require_access_keys(context.engine, is_used=context.desk_sign_in.openid is not None)
    if not writer.is_alive:  # an attempt before may have started it
        ending.callback(context.lost_entries.look)  # after the last write
        writer.start()
        ending.callback(writer.stop)
    context.lost_entries.look()
    publish_seed(context.engine, writer, context.reference_data, settings.first_guides, at=context.clock())


def require_startable(settings: Settings, engine: Engine) -> None:
    """Raise `SetupError` for the settings that `build_context` does not check."""
    open_webhook_keys(settings).load()
    require_known_warnings(settings)
    if settings.smtp_host is not None:
        EmailSender(settings)
    name, seed = settings.default_guide, settings.first_guides / "guides"
    if name is not None and name not in {path.parent.name for path in seed.glob("*/*.yaml")}:
        with Session(engine) as session:
            if not find_history(session, guide=name):
                raise SetupError("GUIDANCE_DEFAULT_GUIDE names no published guide")


def _start_workers(context: AppContext, ending: ExitStack) -> None:
    settings = context.settings
    for sentence in settings.renamed:
        log.warning("setting_renamed", reason=sentence)
    if settings.database_url is not None and settings.receipt_key_file is None:
        log.warning("receipt_key_not_shared", path=str(settings.data_dir))
    if settings.database_url is not None and settings.webhook_key_file is None:
        log.warning("webhook_key_not_shared", path=str(settings.data_dir))
    if settings.is_trial:
        log.warning("development_identity", path=str(settings.data_dir))
    contacts = context.emergency_contacts.current().contacts  # cached from now on, in case the database fails later
    unchecked = [each for each in contacts if each.phones and each.verified_on is None]
    if unchecked and not settings.is_trial:
        log.warning("duty_number_unverified", count=len(unchecked))
    if left_out := context.emergency_contacts.left_out():
        log.warning("signposts_of_another_council", count=len(left_out))
    housekeeping = Housekeeping(
        settings=settings,
        engine=context.engine,
        writer=context.writer,
        key_uses=context.authenticator.key_uses,
        checkpoints=context.checkpoints,
        lost_entries=context.lost_entries,
        invariants=context.invariants,
        outside=context.outside,
        watcher=context.watcher,
        clock=context.clock,
    )
    context.workers[:] = [
        *housekeeping.build_workers(context.invalidate_caches, context.response_cache.set_database_unavailable),
        *(JobsWorker(each.__name__, each.jobs(context)) for each in modules_of("jobs", context.extensions)),
    ]
    ending.callback(stop_workers, context.workers)
    for worker in context.workers:
        worker.start()


def held_versions(engine: Engine) -> dict[str, object]:
    """Return what people read first if a child is in danger, by path, with what its response is made of.

    First come the lists, which are always made again, then each guide's pages, JSON, sections and translations.
    """
    with Session(engine) as session:
        guides, languages = list_versions(session), list_languages(session)
    versions: dict[str, object] = {}

    def add(version: object, pages: Iterable[str], paths: Iterable[str]) -> None:
        own = (f"{language.prefix}{page}" for language in LANGUAGES for page in pages)
        versions.update(dict.fromkeys([*own, *paths], version))

    add(object(), ["/", "/guides"], [SIGNPOSTS, GUIDES])
    for guide, version in guides.items():
        translated = languages.get(guide, ())
        sections = (f"{guide_path(guide)}/{section.value}" for section in Section)
        add(
            version,
            [guide_page_path(guide), *(rendition_page_path(guide, language) for language in translated)],
            [guide_path(guide), *sections, *(rendition_path(guide, language) for language in translated)],
        )
    return versions
