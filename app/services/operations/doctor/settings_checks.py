"""Checks of the settings: what is allowed, and still unsafe."""

import datetime as dt
from collections.abc import Iterator

from app.services.operations.doctor.finding import Check, Verdict, fine, unknown, warn, worst
from app.services.operations.doctor.patient import Patient

SETTINGS = "docs/reference/settings.md"
DEPLOY = "docs/how-to/deploy.md"
SOON = dt.timedelta(days=30)
UNTRUSTED_PROXY = "proxy"
"""The warning of readiness to a request that came through a proxy which is not trusted."""


def check_settings(patient: Patient) -> Verdict:
    """Check for settings that are known and allowed, and less safe than they should be."""
    return worst(_unsafe(patient), otherwise="every setting is known, and none is unsafe")


def _unsafe(patient: Patient) -> Iterator[Verdict]:
    settings = patient.settings
    if "*" in settings.allowed_hosts:
        yield warn("GUIDANCE_ALLOWED_HOSTS allows every host", "name the hosts of this service")
    if settings.log_level == "debug":
        yield warn("GUIDANCE_LOG_LEVEL is debug", "set it to info")
    if not settings.security_contact:
        yield warn(
            "nobody can report a weakness: GUIDANCE_SECURITY_CONTACT is not set",
            "set it, and GUIDANCE_SECURITY_EXPIRES",
        )
    elif settings.security_expires is not None and settings.security_expires < patient.at + SOON:
        yield warn(
            f"the contact for weaknesses ends on {settings.security_expires:%Y-%m-%d}",
            "check the contact, and set GUIDANCE_SECURITY_EXPIRES anew",
        )
    if not patient.is_embedded and settings.limits_store.startswith("memory:"):
        yield warn("each process counts requests for itself", "set GUIDANCE_LIMITS_STORE to a store that all share")


def check_proxy(patient: Patient) -> Verdict:
    """Check that the proxy before the service is trusted. The service itself says so, when it is called through it."""
    settings, answer = patient.settings, patient.public_answer
    if settings.is_https and not settings.trusted_proxies:
        return warn(
            "GUIDANCE_PUBLIC_URL is https, so a proxy is before the service, and none is trusted: all callers count "
            "as one, or as this machine",
            "set GUIDANCE_TRUSTED_PROXIES to the address of the proxy",
        )
    if UNTRUSTED_PROXY in answer.warnings:
        return warn(
            f"the proxy at {settings.public_url} calls the service from an address that GUIDANCE_TRUSTED_PROXIES does "
            "not name: all callers count as one, or as this machine",
            "set it to the address from which the proxy calls, and start the service again",
        )
    if settings.trusted_proxies and not answer.checks:
        return unknown("the service does not answer at its public address, so its proxy is not seen")
    return fine("the proxy is trusted" if settings.trusted_proxies else "no proxy is needed for http")


SETTINGS_CHECKS = (
    Check("settings", check_settings, f"{SETTINGS}#table-of-settings"),
    Check("proxy", check_proxy, f"{DEPLOY}#before-anything-else"),
)
