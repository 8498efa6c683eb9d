"""The check of the public address: it is https, it can be reached, and the service is ready there."""

import datetime as dt
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlsplit

from app.services.operations.doctor.finding import Check, Verdict, fault, warn, worst
from app.services.operations.doctor.patient import Patient
from app.services.operations.doctor.public_address import Validity

CERTIFICATE_DAYS = dt.timedelta(days=14)
LEFT_OF_CERTIFICATE = 4  # a quarter: what renews by itself does so before, also where a certificate lives for hours
ONLY_HERE = ("localhost", "127.0.0.1", "::1")


def check_public_url(patient: Patient) -> Verdict:
    """Call the service at GUIDANCE_PUBLIC_URL."""
    url = patient.settings.public_url
    return worst(_faults(patient), otherwise=f"the service is ready at {url}")


def _faults(patient: Patient) -> Iterator[Verdict]:
    settings, answer = patient.settings, patient.public_answer
    if urlsplit(settings.public_url).hostname in ONLY_HERE:
        yield warn("GUIDANCE_PUBLIC_URL is an address of this machine alone", "set it to the address that callers use")
    elif not settings.is_https:
        yield fault("GUIDANCE_PUBLIC_URL is not https", "put a proxy with TLS before the service, and set it to https")
    if answer.status is None:
        yield fault(
            f"nothing answers at {settings.public_url} ({answer.failure})",
            "start the service, and check the name, the certificate and the proxy",
        )
    elif not answer.checks:
        yield fault(
            f"something else than this service answers at {settings.public_url} ({answer.status})",
            "check GUIDANCE_PUBLIC_URL and the proxy",
        )
    elif answer.status != HTTPStatus.OK:
        failing = ", ".join(f"{name}: {state}" for name, state in answer.checks.items() if state != "ok")
        yield fault(f"the service is not ready ({failing})", "read its log")
    if answer.certificate is not None and _ends_soon(answer.certificate, patient.at):
        yield warn(f"the certificate ends at {answer.certificate.ends:%Y-%m-%d %H:%M} UTC", "renew it")


def _ends_soon(certificate: Validity, at: dt.datetime) -> bool:
    """Return whether it ends within 14 days, and only a quarter of its time is left."""
    quarter = (certificate.ends - certificate.begins) / LEFT_OF_CERTIFICATE
    return certificate.ends - at < min(CERTIFICATE_DAYS, quarter)


ADDRESS_CHECKS = (Check("public-url", check_public_url, "docs/how-to/deploy.md#before-anything-else"),)
