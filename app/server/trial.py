"""Trials: whether a service may start although it has nobody to seal concerns to."""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.age.keys import fingerprint_of
from app.config import Settings
from app.errors import SetupError
from app.services.access.key_files import DEVELOPMENT_IDENTITY
from app.services.concerns.sealing import read_identities
from app.store.database import DATABASE_FILE, open_database
from app.store.sealed_texts import find_newest_recipients


def check_recipients(settings: Settings, *, host: str, is_named_trial: bool) -> bool:
    """Return whether this start is a trial: it has no recipients, and seals to a development identity.

    A start without recipients is one if nobody else can reach the service, or if it was named so. Otherwise raises
    `SetupError`: a setting that was lost or misspelt must not leave concerns open to anyone who reads the disk.
    """
    if settings.seal_to:
        if is_named_trial:
            raise SetupError("--trial is for a start without GUIDANCE_SEAL_TO: remove one of them")
        return False
    signs = list(_signs_of_use(settings, host))
    if signs and not is_named_trial:
        raise SetupError(
            "GUIDANCE_SEAL_TO is not set, so concerns would be sealed to a development identity beside the database. "
            f"That is for a trial on one machine, but {' and '.join(signs)}. "
            "Set GUIDANCE_SEAL_TO to the duty team's own recipients (see `guidance keys new`), or add --trial."
        )
    return True


def _signs_of_use(settings: Settings, host: str) -> Iterator[str]:
    """Yield what shows that others can reach the service."""
    if not _is_loopback(host):
        yield "--host is not an address of this machine alone"
    if settings.database_url is not None:
        yield "GUIDANCE_DATABASE_URL is set"
    if settings.public_url.lower().startswith("https:"):
        yield "GUIDANCE_PUBLIC_URL is https"
    if settings.trusted_proxies:
        yield "GUIDANCE_TRUSTED_PROXIES is set"
    if settings.database_url is None and _is_sealed_to_others(settings.data_dir):
        yield "the newest concern of this database is sealed to others"


def _is_sealed_to_others(data_dir: Path) -> bool:
    """Whether the embedded database was in use with recipients: then the settings are lost, and this is no trial."""
    if not (data_dir / DATABASE_FILE).exists():
        return False
    engine = open_database(data_dir)
    try:
        with Session(engine) as session:
            recipients = find_newest_recipients(session)
    except SQLAlchemyError:  # it has no schema yet, or is damaged, which the start itself reports
        return False
    finally:
        engine.dispose()
    path = data_dir / DEVELOPMENT_IDENTITY
    own = [str(each.to_public()) for each in read_identities(path).identities] if path.exists() else []
    return recipients is not None and not {fingerprint_of(each) for each in own} & set(recipients)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
