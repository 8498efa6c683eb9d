"""The seal: it covers every word, few keys open it, and little is stored beside it."""

import datetime as dt
import json
import stat
from pathlib import Path
from typing import Any

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from pyrage import x25519
from sqlalchemy import text
from starlette.testclient import TestClient

from app.age.files import find_file_key, open_with_file_key
from app.age.keys import NotOpened, NotThatFile, fingerprint_of
from app.config import Settings
from app.errors import SealedTextMisplaced, SetupError
from app.main import create_app
from app.models.concerns.concern import FORM_VERSION
from app.models.concerns.examples import FULL_EXAMPLE, SMALLEST_EXAMPLE
from app.services.concerns.keys import (
    DEVELOPMENT_IDENTITY,
    PEM,
    PKCS8,
    RECEIPT_KEY,
    create_identity,
    load_development_recipient,
    load_receipt_key,
    load_retired_keys,
)
from app.services.concerns.sealing import Unsealer, find_message, make_sealer
from tests.support.clock import A_TUESDAY
from tests.support.concerns import a_concern, add, raise_concern
from tests.support.loops import for_each

pytestmark = pytest.mark.any_database

IN_CLEAR = {
    "reference",
    "received_at",
    "acknowledge_by",
    "state",
    "immediate_danger",
    "guide",
    "edition",
    "referral_source",
    "form_version",
    "recipients",
    "sealed",
    "status_token_sha256",
    "message_key",  # the public half of a key of the status token
    "changed_at",
    "test",
    "burst",  # empty here; otherwise a mark that tells no address
    "channel",
    "came_at",
    "received_by",  # empty, unless a worker wrote it down
}
BY_THE_DESK = {
    "acknowledged_at",
    "closed_at",
    "outcome",
    "outcome_shared",
    "reopened_at",
    "added_at",
    "held",
    "erased_at",
    "overdue_announced",
    "additions_waiting",
    "addition_acknowledge_by",
    "addition_danger",
    "assigned_to",
    "due_soon_announced",
    "limited_to",
    "restricted",
}
IN_CLEAR_OF_AN_ADDITION = {
    "reference",
    "kind",
    "author",
    "read_at",
    "answered_by",
    "number",
    "received_at",
    "acknowledge_by",
    "immediate_danger",
    "channel",
    "came_at",
    "recipients",
    "sealed",
    "acknowledged_at",
    "overdue_announced",
    "due_soon_announced",
}
FOR_THE_ORDER_OF_THE_INBOX = {"waiting", "danger", "due"}  # computed by the database from the columns above


def identity_in(path: Path) -> x25519.Identity:
    """The identity in a file, read as the `age` program reads it."""
    secret = next(line for line in path.read_text().splitlines() if line.startswith("AGE-SECRET-KEY-"))
    return x25519.Identity.from_str(secret)


def opened(sealed: bytes, identity: x25519.Identity) -> Any:
    return json.loads(pyrage.decrypt(sealed, [identity]))


def rows_of(client: TestClient, table: str = "concerns") -> list[dict[str, Any]]:
    with client.app.state.context.engine.connect() as connection:  # type: ignore[attr-defined]  # TestClient knows ASGI alone
        return [dict(row._mapping) for row in connection.execute(text(f"SELECT * FROM {table}"))]  # noqa: S608  # its own names


def as_list(stored: Any) -> list[str]:
    """A list as the database gives it: SQLite as its text."""
    found: list[str] = json.loads(stored) if isinstance(stored, str) else stored
    return found


@pytest.mark.parametrize("submission", [SMALLEST_EXAMPLE, FULL_EXAMPLE], ids=["smallest", "full"])
def test_the_sealed_text_has_reference_edition_time_and_every_word_as_sent(
    client: TestClient, settings: Settings, submission: dict[str, Any]
) -> None:
    receipt = client.post("/v1/concerns", json=submission).json()

    (row,) = rows_of(client)
    assert opened(row["sealed"], identity_in(settings.data_dir / DEVELOPMENT_IDENTITY)) == {
        "reference": receipt["reference"],
        "guide": "child-sexual-exploitation",
        "edition": 1,
        "received_at": "2026-11-24T09:30:00Z",
        "form_version": FORM_VERSION,
        "submission": submission,
    }


def test_only_what_routing_needs_is_in_clear(client: TestClient) -> None:
    receipt = raise_concern(client, **FULL_EXAMPLE)

    (row,) = rows_of(client)
    assert set(row) == IN_CLEAR | BY_THE_DESK | FOR_THE_ORDER_OF_THE_INBOX
    assert not any(row[name] for name in BY_THE_DESK)
    assert {name: row[name] for name in ("state", "immediate_danger", "guide", "edition", "referral_source")} == {
        "state": "received",
        "immediate_danger": "no",
        "guide": "child-sexual-exploitation",
        "edition": 1,
        "referral_source": "2A",
    }
    assert receipt["status_token"] not in str(row)


def test_only_an_addition_s_number_times_and_danger_are_in_clear(client: TestClient) -> None:
    add(client, raise_concern(client), "Canary", danger="yes")

    (row,) = rows_of(client, "entries")
    assert set(row) == IN_CLEAR_OF_AN_ADDITION
    assert (row["number"], row["immediate_danger"], row["acknowledged_at"]) == (1, "yes", None)
    assert (row["kind"], row["author"], row["read_at"], row["answered_by"]) == ("addition", "reporter", None, None)
    assert "Canary" not in str(row)


def test_only_the_development_identity_opens_a_concern_and_the_row_names_it(
    client: TestClient, settings: Settings
) -> None:
    client.post("/v1/concerns", json=a_concern())

    (row,) = rows_of(client)
    recipient = str(identity_in(settings.data_dir / DEVELOPMENT_IDENTITY).to_public())
    assert as_list(row["recipients"]) == [fingerprint_of(recipient)]
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(row["sealed"], [x25519.Identity.generate()])


@pytest.mark.slow
def test_every_recipient_opens_a_concern_and_no_development_identity_is_made(tmp_path: Path) -> None:
    identities = [x25519.Identity.generate() for _ in range(3)]
    recipients = tuple(str(identity.to_public()) for identity in identities)
    settings = Settings(data_dir=tmp_path / "data", seal_to=recipients)

    with TestClient(create_app(settings, lambda: A_TUESDAY)) as client:
        client.post("/v1/concerns", json=a_concern())
        (row,) = rows_of(client)

    assert [opened(row["sealed"], identity)["submission"] for identity in identities] == [a_concern()] * 3
    assert as_list(row["recipients"]) == [fingerprint_of(recipient) for recipient in recipients]
    assert not (settings.data_dir / DEVELOPMENT_IDENTITY).exists()


def test_the_same_words_are_sealed_differently_each_time(client: TestClient) -> None:
    for _ in range(2):
        client.post("/v1/concerns", json=a_concern())

    first, second = rows_of(client)
    assert first["sealed"] != second["sealed"]


def test_a_changed_seal_does_not_open() -> None:
    identity = x25519.Identity.generate()
    sealed = bytearray(make_sealer([str(identity.to_public())]).seal(b"Alex Example"))
    sealed[-1] ^= 1

    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(bytes(sealed), [identity])


@pytest.mark.parametrize("recipients", [[], ["age1nonsense"], [""]])
def test_a_service_without_a_valid_recipient_does_not_start(recipients: list[str]) -> None:
    with pytest.raises(SetupError) as refused:
        make_sealer(recipients)

    assert "nonsense" not in str(refused.value)


def test_an_identity_taken_for_a_recipient_is_refused_and_not_repeated() -> None:
    secret = str(x25519.Identity.generate())

    with pytest.raises(SetupError) as refused:
        make_sealer([secret])

    assert secret not in str(refused.value)


def test_only_the_owner_can_read_key_files(client: TestClient, settings: Settings) -> None:
    assert client.get("/health/ready").is_success
    for name in (DEVELOPMENT_IDENTITY, RECEIPT_KEY):
        assert stat.S_IMODE((settings.data_dir / name).stat().st_mode) == 0o600


def test_keys_that_are_there_are_used_again_and_never_overwritten(tmp_path: Path) -> None:
    at = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
    recipient, key = load_development_recipient(tmp_path, at=at), load_receipt_key(None, tmp_path)

    assert load_development_recipient(tmp_path, at=at) == recipient
    assert load_receipt_key(None, tmp_path).private_bytes_raw() == key.private_bytes_raw()
    with pytest.raises(FileExistsError):
        create_identity(tmp_path / DEVELOPMENT_IDENTITY, at=at)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([DEVELOPMENT_IDENTITY, RECEIPT_KEY])


def test_a_receipt_key_behind_a_password_is_refused_by_the_name_of_its_setting(tmp_path: Path) -> None:
    path = tmp_path / "locked.pem"
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(PEM, PKCS8, BestAvailableEncryption(b"a password")))

    with pytest.raises(SetupError, match="GUIDANCE_RECEIPT_KEY_FILE"):
        load_receipt_key(path, tmp_path)
    with pytest.raises(SetupError, match="GUIDANCE_RETIRED_RECEIPT_KEYS"):
        load_retired_keys([path])


def test_a_fingerprint_is_sixteen_hexadecimal_digits_of_the_recipient_s_sha_256() -> None:
    assert fingerprint_of("age1example") == "e37425255c92f8d2"


IDENTITIES = [x25519.Identity.generate() for _ in range(3)]


def seal(text: bytes) -> bytes:
    sealed: bytes = pyrage.encrypt(text, [each.to_public() for each in IDENTITIES[:2]])
    return sealed


def test_a_sealed_text_that_nests_too_deeply_is_none_of_this_service() -> None:
    sealed = seal(b"[" * 100_000)

    with pytest.raises(SealedTextMisplaced):
        Unsealer(tuple(IDENTITIES)).open(sealed, reference="4F7K-9QXT")
    assert find_message(sealed, IDENTITIES[0], "4F7K-9QXT") is None


@for_each("size", [0, 1, 65535, 65536, 65537, 131072, 200000])
def test_each_recipient_finds_the_same_key_and_it_opens_the_text(size: int) -> None:
    text = bytes(each % 251 for each in range(size))
    sealed = seal(text)

    first, second = (find_file_key(sealed, [each]) for each in IDENTITIES[:2])

    assert first == second
    assert open_with_file_key(sealed, first) == text


def test_no_other_identity_finds_the_key() -> None:
    with pytest.raises(NotOpened):
        find_file_key(seal(b"words"), IDENTITIES[2:])


@pytest.mark.parametrize(("old", "new"), [(b"-> X25519 ", b"-> x grease\n\n-> X25519 "), (b"X25519", b"X25518")])
def test_a_header_that_the_key_did_not_make_is_refused(old: bytes, new: bytes) -> None:
    sealed = seal(b"words")
    key = find_file_key(sealed, IDENTITIES)

    with pytest.raises(NotThatFile):
        open_with_file_key(sealed.replace(old, new, 1), key)


def test_a_stanza_without_a_share_is_no_age_file() -> None:
    with pytest.raises(NotThatFile):
        find_file_key(seal(b"words").replace(b"-> X25519 ", b"-> X25519\n\n-> X25519 ", 1), IDENTITIES)


@for_each("sealed", [b"", b"rubbish", b"age-encryption.org/v1\n-> X25519 a\n!\n--- a\n", seal(b"x")[:-1]])
def test_what_is_no_whole_age_file_is_refused(sealed: bytes) -> None:
    with pytest.raises(NotThatFile):
        open_with_file_key(sealed, bytes(16))
