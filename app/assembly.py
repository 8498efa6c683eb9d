"""Builds the application context from the settings: reads the keys and the reference data, and opens the database."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine

from app.age.keys import fingerprint_of
from app.config import Settings
from app.errors import SetupError
from app.services.access.clients import Authenticator
from app.services.access.key_files import (
    DEVELOPMENT_IDENTITY,
    load_development_recipient,
    load_receipt_key,
    load_retired_keys,
)
from app.services.access.limits import CodeTries, make_limiter, make_policy
from app.services.access.openid import open_provider
from app.services.access.sign_in import open_desk_sign_in
from app.services.concerns.drafts import Drafts
from app.services.concerns.edition_resolver import EditionResolver
from app.services.concerns.follow_up import FollowUps
from app.services.concerns.receipt_builder import ReceiptBuilder
from app.services.concerns.receipt_signing import make_receipt_signer
from app.services.concerns.sealing import Unsealer, make_sealer, read_identities
from app.services.concerns.submission import Submissions
from app.services.concerns.working_days import WorkingDays
from app.services.desk.checkpoints import Checkpoints, NoteSigner, origin_at
from app.services.guidance.emergency_contacts import EmergencyContacts
from app.services.guidance.reference_data import read_reference_data
from app.services.operations.invariants import Invariants
from app.services.operations.readiness import ConcernTrial
from app.store.contents import Contents
from app.store.database import open_database
from app.store.writer import Writer
from app.web.cache.cache import ResponseCache
from app.web.context import AppContext, Clock
from app.web.metrics import Metrics
from app.web.middleware.trusted_host import make_host_check
from app.web.tracing import open_traces


def build_context(settings: Settings, clock: Clock) -> AppContext:
    """Read the keys and the reference data, and build the context. Raises `SetupError` and `SeedFileError`."""
    engine = open_database(settings.data_dir, settings.database_address)
    recipients, identity_file = settings.seal_to, settings.seal_identity_file
    if not recipients:
        recipients = (load_development_recipient(settings.data_dir, at=clock()),)
        identity_file = identity_file or settings.data_dir / DEVELOPMENT_IDENTITY
    sealer, reference_data = make_sealer(recipients), read_reference_data(settings.seed_dir)
    key = load_receipt_key(settings.receipt_key_file, settings.data_dir)
    signer = make_receipt_signer(
        key,
        load_retired_keys(settings.retired_receipt_keys),
        issuer=settings.public_url,
    )
    allows_host = make_host_check(public_url=settings.public_url, allowed_hosts=settings.allowed_hosts)
    response_cache, metrics = ResponseCache(settings.shelf_megabytes, allows_host), Metrics()
    contents = Contents(engine)
    resolver = EditionResolver(engine, reference_data, contents, settings.default_guide)
    receipts = ReceiptBuilder(signer, WorkingDays(), reference_data, settings.come_back_days)

    def invalidate_caches() -> None:
        resolver.invalidate()
        response_cache.clear()

    traces = open_traces(settings.traces_url)

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
    submissions = Submissions(engine, writer, resolver, sealer, receipts)
    provider = open_provider(settings)
    return AppContext(
        settings=settings,
        engine=engine,
        writer=writer,
        contents=contents,
        reference_data=reference_data,
        signer=signer,
        checkpoints=open_checkpoints(settings, engine, writer, key),
        unsealer=_unsealer(identity_file),
        submissions=submissions,
        concern_trial=ConcernTrial(submissions, clock),
        invariants=Invariants(engine, [fingerprint_of(each) for each in settings.seal_to], clock),
        code_tries=CodeTries(
            make_limiter(settings.limits_store, settings.limits_secret_file),
            make_policy("code-tries", settings.limit_code_tries),
        ),
        drafts=Drafts(engine, writer),
        follow_ups=FollowUps(engine, writer, contents, sealer, receipts),
        emergency_contacts=EmergencyContacts(engine, settings.default_guide),
        authenticator=Authenticator(engine, provider),
        desk_sign_in=open_desk_sign_in(settings, engine, writer, provider),
        metrics=metrics,
        traces=traces,
        response_cache=response_cache,
        invalidate_caches=invalidate_caches,
        allows_host=allows_host,
        clock=clock,
    )


def open_checkpoints(settings: Settings, engine: Engine, writer: Writer, key: Ed25519PrivateKey) -> Checkpoints:
    """Return what signs checkpoints with that key, which signs receipts too. Raises `SetupError`."""
    return Checkpoints(engine, writer, NoteSigner(origin_at(settings.public_url), key))


def _unsealer(identity_file: Path | None) -> Unsealer:
    if identity_file is None:
        return Unsealer()
    try:
        return read_identities(identity_file)
    except SetupError as fault:
        raise SetupError(f"GUIDANCE_SEAL_IDENTITY_FILE: {fault}") from None
