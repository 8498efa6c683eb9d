"""Checks of `guidance doctor` for the settings, the external services that they name, the proxy and the clock."""

import datetime as dt
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.config import Part, Settings, is_loopback
from app.errors import GuidanceError
from app.main import create_app, require_startable
from app.models.base import counted
from app.models.events.rows import EDITORS_EMAIL, EMAIL, DeliveryState
from app.services.access.people import list_people
from app.services.audit.known_time import find_clock_fault
from app.services.clock.working_hours import read_hours
from app.services.events.deliveries import count_deliveries, oldest_waiting_deliveries
from app.services.operations.check_model import CheckContext, Verdict, fault, fine, unchecked_verdict, warn
from app.services.operations.external_services import LATE, knock_at_services
from app.services.operations.watches import Unmeasured, Watch

LOOK_AT_PART = "check that it is running, that this computer can reach it, and that the setting is right"
LOOK_AT_PAGE = "open it in a browser, and correct the setting"
SOON = dt.timedelta(days=30)
UNTRUSTED_PROXY = "proxy"


def check_settings(context: CheckContext) -> Iterator[Verdict]:
    """Check for settings that are allowed, but less safe or useful."""
    settings = context.settings
    for sentence in settings.renamed:
        yield warn(sentence, "use the new name")
    if "*" in settings.allowed_hosts:
        yield warn("GUIDANCE_ALLOWED_HOSTS allows every host", "list the hosts of this service")
    if settings.log_level == "debug":
        yield warn("GUIDANCE_LOG_LEVEL is debug", "set it to info")
    if not settings.security_contact:
        yield warn(
            "GUIDANCE_SECURITY_CONTACT is not set, so nobody can report a vulnerability",
            "set it, and GUIDANCE_SECURITY_EXPIRES",
        )
    elif settings.security_expires is not None and settings.security_expires < context.at + SOON:
        yield warn(
            f"the security contact expires on {settings.security_expires:%Y-%m-%d}",
            "check the contact, and set a new GUIDANCE_SECURITY_EXPIRES",
        )
    if settings.duty_hours is not None and not read_hours(settings.duty_hours):
        yield warn(
            "GUIDANCE_DUTY_HOURS cannot be read, so pages cannot show the open team first",
            "use this format: Monday to Thursday 8:30am to 5pm, Friday 8:30am to 4:30pm",
        )
    if not context.is_embedded and settings.limits_store.startswith("memory:"):
        yield warn("each process counts requests separately", "set GUIDANCE_LIMITS_STORE to a shared store")
    yield fine("all settings are known and safe")


def check_start(context: CheckContext) -> Verdict:
    """Try a start with these settings. Schema and keys have checks of their own."""
    try:
        _rehearse_start(context.settings, context.engine)
    except GuidanceError as refusal:
        return fault(f"a start would be refused: {refusal}".replace("\n", " "), "correct it before the next start")
    except SQLAlchemyError:
        return unchecked_verdict("the database cannot be read")
    return fine("a start would succeed")


def _rehearse_start(settings: Settings, engine: Engine) -> None:
    """Raise what would stop a start. The schema and the keys in the data folder have checks of their own.

    Files that a first start would create are in a temporary folder.
    """
    with tempfile.TemporaryDirectory(prefix="guidance-start-") as folder:
        context = create_app(settings.model_copy(update={"data_dir": Path(folder)})).state.context
        if context.traces is not None:
            context.traces.close()
        context.engine.dispose()
    require_startable(settings, engine)


def check_outside_settings(part: Part, context: CheckContext) -> Iterator[Verdict]:
    """Check each setting that is set, once. A linked page that does not respond is only a warning."""
    says, action = (warn, LOOK_AT_PAGE) if part is Part.PAGES else (fault, LOOK_AT_PART)
    found = list(knock_at_services(context.settings, part))
    for setting, failure in found:
        if failure is not None:
            yield says(f"{setting}: not responding correctly ({failure})", action)
    names = ", ".join(setting for setting, _ in found)
    yield fine(f"{names}: responding" if names else "none are configured")


def check_email(context: CheckContext) -> Iterator[Verdict]:
    """Also check that no event has waited longer than `LATE`, if the database can be read."""
    with suppress(SQLAlchemyError), Session(context.engine) as session:  # another check reports a fault of the database
        oldest, deliveries = oldest_waiting_deliveries(session), count_deliveries(session)
        for name, readers in ((EMAIL, "duty team"), (EDITORS_EMAIL, "editors")):
            waits = oldest.get(name)
            if waits is not None and context.at - waits > LATE:
                count = deliveries[name, DeliveryState.PENDING.value]
                yield fault(
                    f"{counted(count, 'event has', 'events have')} been waiting for an email to the {readers} "
                    f"since {waits:%Y-%m-%d %H:%M} UTC",
                    f"call the {readers}, who are not being notified; read the log lines email_failed",
                )
    yield from check_outside_settings(Part.EMAIL, context)


def check_openid(context: CheckContext) -> Iterator[Verdict]:
    """Also check that people can get a role: the provider's roles must be scopes without `GUIDANCE_OPENID_SCOPES`.

    This is only a warning until somebody has signed in.
    """
    settings = context.settings
    if settings.openid_client_id is not None and settings.openid_scopes is None:
        with suppress(SQLAlchemyError), Session(context.engine) as session:
            if not any(each.provider for each in list_people(session)):
                yield warn(
                    "GUIDANCE_OPENID_SCOPES is not set, and nobody has signed in through the provider: the sign-in "
                    "fails for everybody whose roles there are not named like scopes (concerns:read)",
                    "map the provider's groups or roles to scopes, or sign in once",
                )
    yield from check_outside_settings(Part.OPENID, context)


def check_proxy(context: CheckContext) -> Verdict:
    """Look for the warning `UNTRUSTED_PROXY` in the readiness response through the proxy."""
    settings, answer = context.settings, context.public_answer
    if settings.is_https and not settings.trusted_proxies:
        return warn(
            "GUIDANCE_PUBLIC_URL is https, so there must be a proxy, but none is trusted: all callers count as one",
            "set GUIDANCE_TRUSTED_PROXIES to the address of the proxy",
        )
    if UNTRUSTED_PROXY in answer.warnings:
        return warn(
            f"the proxy at {settings.public_url} calls from an address that is not in GUIDANCE_TRUSTED_PROXIES: all "
            "callers count as one",
            "add the address of the proxy, and restart the service",
        )
    if settings.trusted_proxies and not answer.checks:
        return unchecked_verdict("the service is not responding at its public address, so the proxy cannot be checked")
    return fine("the proxy is trusted" if settings.trusted_proxies else "http needs no proxy")


def check_public_url(context: CheckContext) -> Iterator[Verdict]:
    """Check that the address has https and is not local, and that this service is ready there."""
    settings, answer = context.settings, context.public_answer
    if is_loopback(urlsplit(settings.public_url).hostname or ""):
        yield warn("GUIDANCE_PUBLIC_URL is a local address", "set it to the address that callers use")
    elif not settings.is_https:
        yield fault(
            "GUIDANCE_PUBLIC_URL is not https", "put a reverse proxy with TLS in front, and use its https address"
        )
    if answer.status is None:
        yield fault(
            f"no response at GUIDANCE_PUBLIC_URL, {settings.public_url} ({answer.failure})",
            "start the service, and check the name, the certificate and the proxy",
        )
    elif not answer.checks:
        yield fault(
            f"a different service is responding at {settings.public_url} ({answer.status})",
            "check GUIDANCE_PUBLIC_URL and the proxy",
        )
    elif answer.status != HTTPStatus.OK:
        failing = ", ".join(f"{name}: {state}" for name, state in answer.checks.items() if state != "ok")
        yield fault(f"the service is not ready ({failing})", "read its log")
    yield fine(f"the service is ready at {settings.public_url}")


def check_clock(context: CheckContext) -> Verdict:
    """Check the clock against the last known time. `clock-drift` finds smaller errors."""
    with Session(context.engine) as session:
        apart = find_clock_fault(session, at=context.at)
    if apart is not None:
        return fault(
            f"{apart}, so nothing is erased",
            "check the date of this computer; once it is right, run guidance desk purge --clock-checked",
        )
    return fine("the clock agrees with the time that was last known")


def check_watch(watch: Watch, context: CheckContext) -> Verdict:
    """Compare a measurement with its bound. Advice within the bound is a warning.

    Skip what no action could make measurable.
    """
    taken = watch.measure(context)
    if isinstance(taken, Unmeasured):
        return warn(taken.why, taken.action) if taken.action else unchecked_verdict(taken.why)
    if watch.is_past(taken) and watch.name in context.settings.accepted_warnings:
        return fine(f"{taken.found}, which GUIDANCE_ACCEPTED_WARNINGS accepts")
    if watch.is_past(taken):
        return fault(taken.found, taken.advice or watch.action)
    return warn(taken.found, taken.advice) if taken.advice else fine(taken.found)
