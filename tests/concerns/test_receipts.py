"""Receipts: anybody can check one offline, with nothing but the published keys and a program of their own choice."""

import base64
import datetime as dt
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from jwt import PyJWKSet
from pydantic import BaseModel
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.commands import app
from app.config import Settings
from app.errors import GuidanceError
from app.main import create_app
from app.models.audit.rows import AuditEntryRow, DeskAct
from app.models.base import canonical_json, canonical_submission, digest_of
from app.models.concerns.additions import ADDITION_EXAMPLE, Addition
from app.models.concerns.concern import FORM_VERSION, Concern
from app.models.concerns.examples import FULL_EXAMPLE, SMALLEST_EXAMPLE
from app.models.guides.editions import EditionContent
from app.services.audit.chains import FIRST_PREVIOUS_SHA256, hash_of
from app.services.concerns.keys import RECEIPT_KEY
from tests.support.clock import A_TUESDAY
from tests.support.command import guidance
from tests.support.concerns import raise_concern
from tests.support.desk import desk_of
from tests.support.loops import for_each
from tests.support.publishing import an_edition

JWKS = "/.well-known/jwks.json"
DER_OF_ED25519 = bytes.fromhex("302a300506032b6570032100")  # RFC 8410: the prefix of the 32 bytes of the key
BY_NODE = """
const crypto = require("node:crypto");
const [receipt, jwks] = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const [header, payload, signature] = receipt.split(".");
const kid = JSON.parse(Buffer.from(header, "base64url")).kid;
const key = crypto.createPublicKey({ key: jwks.keys.find((each) => each.kid === kid), format: "jwk" });
const told = crypto.verify(null, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url"));
process.exit(told ? 0 : 1);
"""
Jwks = dict[str, Any]
Check = Callable[[str, Jwks, Path], bool]


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def by_pyjwt(receipt: str, jwks: Jwks, _folder: Path) -> bool:
    key = PyJWKSet.from_dict(jwks)[jwt.get_unverified_header(receipt)["kid"]]
    try:
        jwt.decode(receipt, key, algorithms=["EdDSA"], options={"verify_iat": False})
    except jwt.InvalidTokenError:
        return False
    return True


def by_openssl(receipt: str, jwks: Jwks, folder: Path) -> bool:
    header, payload, signature = receipt.split(".")
    (key,) = (each for each in jwks["keys"] if each["kid"] == json.loads(decoded(header))["kid"])
    files = {
        "key": DER_OF_ED25519 + decoded(key["x"]),
        "told": f"{header}.{payload}".encode(),
        "sig": decoded(signature),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    command = "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in told -sigfile sig"
    return subprocess.run(command.split(), cwd=folder, capture_output=True, check=False).returncode == 0


def by_node(receipt: str, jwks: Jwks, _folder: Path) -> bool:
    sent = json.dumps([receipt, jwks]).encode()
    return subprocess.run(["node", "-e", BY_NODE], input=sent, capture_output=True, check=False).returncode == 0


def where_installed(check: Check, command: str, *, demanded: bool) -> Any:
    absent = shutil.which(command) is None and not demanded
    return pytest.param(check, id=command, marks=pytest.mark.skipif(absent, reason=f"{command} is not installed"))


CHECKS = [
    pytest.param(by_pyjwt, id="pyjwt"),
    where_installed(by_openssl, "openssl", demanded="CI" in os.environ),
    where_installed(by_node, "node", demanded=False),
]


@pytest.fixture
def receipt(client: TestClient) -> dict[str, Any]:
    return raise_concern(client, **FULL_EXAMPLE)


@pytest.fixture
def jwks(client: TestClient) -> Jwks:
    told: Jwks = client.get(JWKS).json()
    return told


def changed(receipt: str) -> dict[str, str]:
    """The receipt with another time, with another signature, and with the whole of another key's signature."""
    header, payload, signature = receipt.split(".")
    claims = json.loads(decoded(payload)) | {"received_at": "2026-11-23T09:30:00Z"}
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    first = "A" if signature[0] != "A" else "B"
    head = json.loads(decoded(header))
    other = jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers=head)
    return {
        "the claims": f"{header}.{forged}.{signature}",
        "the signature": f"{header}.{payload}.{first}{signature[1:]}",
        "the key": other,
    }


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
def test_a_receipt_verifies_offline_and_a_changed_one_does_not(
    receipt: dict[str, Any], jwks: Jwks, tmp_path: Path, check: Check
) -> None:
    verdicts = {what: check(forged, jwks, tmp_path) for what, forged in changed(receipt["receipt"]).items()}

    assert check(receipt["receipt"], jwks, tmp_path)
    assert verdicts == {"the claims": False, "the signature": False, "the key": False}


@pytest.mark.slow
def test_a_receipt_names_the_concern_its_time_and_edition_without_its_words(
    receipt: dict[str, Any],
) -> None:
    header = jwt.get_unverified_header(receipt["receipt"])
    claims = jwt.decode(receipt["receipt"], options={"verify_signature": False})

    assert (header["alg"], header["typ"]) == ("EdDSA", "concern-receipt+jws")
    digest = claims.pop("submission_sha256")
    assert len(bytes.fromhex(digest)) == 32
    assert claims == {
        "iss": "http://127.0.0.1:8000",
        "jti": receipt["reference"],
        "iat": int(A_TUESDAY.timestamp()),
        "received_at": "2026-11-24T09:30:00Z",
        "guide": "child-sexual-exploitation",
        "edition": 1,
        "guide_named": True,
        "form_version": FORM_VERSION,
        "made_under_duty": "yes",
    }


@pytest.mark.slow
@pytest.mark.parametrize("submission", [SMALLEST_EXAMPLE, FULL_EXAMPLE], ids=["smallest", "full"])
def test_the_reporter_can_take_the_digest_of_the_submission_again(
    client: TestClient, submission: dict[str, Any]
) -> None:
    backwards = json.dumps(dict(reversed(submission.items())), indent=3)
    answer = client.post("/v1/concerns", content=backwards, headers={"Content-Type": "application/json"})

    claims = jwt.decode(answer.json()["receipt"], options={"verify_signature": False})

    assert claims["submission_sha256"] == hashlib.sha256(rfc8785.dumps(submission)).hexdigest()
    other = submission | {"immediate_danger": "yes"}
    assert claims["submission_sha256"] != hashlib.sha256(rfc8785.dumps(other)).hexdigest()


@pytest.mark.slow
def test_a_published_key_is_named_by_thumbprint_without_its_private_part(jwks: Jwks, settings: Settings) -> None:
    (key,) = jwks["keys"]

    canonical = json.dumps({name: key[name] for name in ("crv", "kty", "x")}, separators=(",", ":"))  # RFC 7638
    assert decoded(key["kid"]) == hashlib.sha256(canonical.encode()).digest()
    assert set(key) == {"crv", "kty", "x", "kid", "use", "alg"}
    assert (settings.data_dir / RECEIPT_KEY).stat().st_mode & 0o077 == 0


@pytest.mark.slow
@pytest.mark.parametrize("part", ["private", "public"])
def test_a_retired_key_still_verifies_old_receipts_and_signs_no_new_one(tmp_path: Path, part: str) -> None:
    old, new = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    paths = {name: tmp_path / f"{name}.pem" for name in ("old", "new", "retired")}
    for name, key in (("old", old), ("new", new)):
        paths[name].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = old.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    paths["retired"].write_bytes(paths["old"].read_bytes() if part == "private" else public)
    settings = Settings(data_dir=tmp_path / "data", receipt_key_file=paths["old"])

    receipts, jwks = [], []
    for changes in ({}, {"receipt_key_file": paths["new"], "retired_receipt_keys": str(paths["retired"])}):
        service = create_app(Settings.model_validate(settings.model_dump() | changes), lambda: A_TUESDAY)
        with TestClient(service) as client:
            receipts.append(raise_concern(client, **SMALLEST_EXAMPLE)["receipt"])
            jwks.append(client.get(JWKS).json())

    assert [by_pyjwt(receipt, jwks[1], tmp_path) for receipt in receipts] == [True, True]
    first, second = (jwt.get_unverified_header(receipt)["kid"] for receipt in receipts)
    assert [key["kid"] for key in jwks[1]["keys"]] == [second, first]
    assert [key["kid"] for key in jwks[0]["keys"]] == [first]
    assert all("d" not in key for key in jwks[1]["keys"])


@pytest.mark.slow
def test_the_command_verifies_a_receipt_and_names_one_that_is_not_genuine(
    receipt: dict[str, Any], jwks: Jwks, tmp_path: Path
) -> None:
    keys, others = tmp_path / "jwks.json", tmp_path / "others.json"
    keys.write_text(json.dumps(jwks))
    others.write_text(json.dumps({"keys": [jwks["keys"][0] | {"kid": "another"}]}))
    good = {"jws": receipt["receipt"], "whole": json.dumps(receipt)}
    bad = changed(receipt["receipt"]) | {"nothing": "", "another text": "a.b.c", "no receipt": "{}"}

    def verify(told: str, jwks: Path = keys) -> Any:
        (tmp_path / "receipt").write_text(told)
        return CliRunner().invoke(app, ["receipts", "verify", str(tmp_path / "receipt"), "--jwks", str(jwks)])

    accepted = [verify(told) for told in good.values()]
    refused = [*(verify(told) for told in bad.values()), verify(receipt["receipt"], jwks=others)]
    said = guidance("receipts", "verify", tmp_path / "receipt", "--jwks", others)

    assert [told.exit_code for told in accepted] == [0, 0]
    assert [json.loads(told.stdout)["jti"] for told in accepted] == [receipt["reference"]] * 2
    assert [(told.exit_code, told.stdout) for told in refused] == [(1, "")] * len(refused)
    assert all(isinstance(told.exception, GuidanceError) for told in refused)
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr
    assert "Traceback" not in said.stderr


@pytest.fixture
def verify(jwks: Jwks, tmp_path: Path) -> Callable[..., Any]:
    """A function that runs `guidance receipts verify` on a file with the text."""
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps(jwks))

    def run(text: str, *more: str) -> Any:
        (tmp_path / "receipt").write_text(text)
        return CliRunner().invoke(app, ["receipts", "verify", str(tmp_path / "receipt"), "--jwks", str(keys), *more])

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"), [("reference", "0000-0000-0000"), ("received_at", "2026-11-23T09:30:00Z"), ("edition", 2)]
)
def test_a_receipt_with_changed_words_is_refused_by_their_name(
    receipt: dict[str, Any], verify: Callable[..., Any], name: str, value: Any
) -> None:
    refused = verify(json.dumps(receipt | {name: value}))

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert isinstance(refused.exception, GuidanceError)
    assert name in str(refused.exception)


@pytest.mark.slow
def test_a_statement_is_no_receipt_and_a_receipt_is_no_statement(
    service: FastAPI, client: TestClient, receipt: dict[str, Any], verify: Callable[..., Any]
) -> None:
    statement = desk_of(service, client).get(f"/disclosures/{receipt['reference']}/statement").json()

    whole, alone = json.dumps(statement), statement["statement"]
    confused = [verify(alone), verify(whole), verify(receipt["receipt"], "--statement")]
    right = [verify(alone, "--statement"), verify(whole, "--statement")]

    assert [each.exit_code for each in confused] == [1, 1, 1]
    assert [json.loads(each.stdout)["sub"] for each in right] == [receipt["reference"]] * 2
    assert verify(json.dumps(statement | {"length": 7}), "--statement").exit_code == 1


LARGEST = 2**53 - 1
NAMES = st.text(st.characters(max_codepoint=127))
TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ['\x00\x1f\b\t\n\f\r"\\/\x7f', "\u2028\ufeff😀"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
)


@pytest.mark.slow
@pytest.mark.any_database
@given(VALUES)
def test_canonical_json_matches_the_reference_for_ascii_names_without_fractions(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.slow
@pytest.mark.any_database
@given(TEXTS.filter(bool))
def test_canonical_json_matches_the_reference_for_any_words(
    words: str,
) -> None:
    concern = Concern.model_validate(FULL_EXAMPLE).model_copy(update={"police_reference": words})
    addition = Addition.model_validate(ADDITION_EXAMPLE)
    addition = addition.model_copy(update={"concern": addition.concern.model_copy(update={"narrative": words})})
    edition = an_edition().model_copy(update={"title": words, "change_note": words})

    for model in (concern, addition, edition):
        dumped = model.model_dump(mode="json", exclude_unset=True)
        assert canonical_submission(model) == rfc8785.dumps(dumped)
        assert canonical_json(orjson.loads(model.model_dump_json(exclude_unset=True))) == rfc8785.dumps(dumped)


@for_each("model", [Concern, Addition, EditionContent, AuditEntryRow])
def test_no_digested_value_has_a_fraction_or_a_caller_s_name(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()

    for each in [schema, *schema.get("$defs", {}).values()]:
        for name, field in each.get("properties", {}).items():
            assert name.isascii()
            assert "'number'" not in str(field)
            assert "additionalProperties" not in field


@for_each("number", [LARGEST + 1, -LARGEST - 1, 2**64, 10**400])
def test_a_whole_number_beyond_53_bits_has_no_canonical_form(number: int) -> None:
    concern = Concern.model_validate(SMALLEST_EXAMPLE).model_copy(update={"edition": number})

    with pytest.raises(orjson.JSONEncodeError):
        canonical_submission(concern)


def test_the_digest_of_the_seed_s_edition_has_not_changed() -> None:
    assert digest_of(an_edition()) == "sha256:a5129e4eb899eb9761fcc041e91847544b4a1ab7d8694f456b328b5c056593e9"


def test_the_hash_of_an_audit_log_entry_has_not_changed() -> None:
    row = AuditEntryRow(
        chain="inbox",
        number=1,
        at=A_TUESDAY + dt.timedelta(microseconds=1),
        client="duty-team",
        act=DeskAct.LISTED,
        address="192.0.2.1",
        detail="“zoë”\t\x1f😀",
        previous_sha256=FIRST_PREVIOUS_SHA256,
        sha256="",
    )

    assert hash_of(row) == "451615d0e8aabb7af4fdd46dd27680c8419c035aa180c20c6ee1e5bf35179670"


def test_the_digest_of_a_concern_has_not_changed() -> None:
    told = {
        "immediate_danger": "not_sure",
        "reporter": {"kind": "professional", "name": "Zoë Example"},
        "children": [{"given_names": "Alex", "estimated_age": 14, "date_of_birth": "2012-03-04"}, {}],
        "concern": {"narrative": "“Alex” was away\ttwice. \x1f😀", "how_known": ["first_hand"]},
        "test": True,
    }

    submission = canonical_submission(Concern.model_validate(told))

    assert hashlib.sha256(submission).hexdigest() == "feb77a3bd61d086dd1c924fff7be4a6ab4c689339ec45f1da641c9b3f8f72a20"
