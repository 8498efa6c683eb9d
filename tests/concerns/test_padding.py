"""Every text is padded before it is sealed, by the service and by the browser, so that its length says little."""

import base64
import json
import math
import random
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import orjson
import pytest
from fastapi import FastAPI

from app.age.keys import decrypt, recipient_of
from app.config import Settings
from app.models.audit.entry_kinds import EntryKind
from app.models.concerns.additions import Addition
from app.models.guides.edition_keys import EditionKey
from app.services.audit.audit_log import Actor
from app.services.concerns.keys import DEVELOPMENT_IDENTITY, create_identity
from app.services.concerns.resealing import reseal
from app.services.concerns.sealing import (
    LARGEST_STEP,
    LEAST_CARD,
    LEAST_TEXT,
    addition_plaintext,
    concern_plaintext,
    derive_public_key,
    make_sealer,
    pad,
    read_identities,
    seal_message,
    token_identity,
    written_plaintext,
)
from tests.support.clock import A_TUESDAY
from tests.support.databases import RawConnection
from tests.support.desk import Desk

A_REFERENCE = "4F7K-926W-0X37"
SCRIPT = Path(__file__).parents[2] / "desk_script" / "src" / "padding.js"
IN_BROWSER = """
const { paddedLength, LEAST_CARD } = await import(`file://${process.argv[1]}`);
const lengths = JSON.parse(process.argv[2]);
console.log(JSON.stringify(lengths.map((each) => [paddedLength(each), paddedLength(each, LEAST_CARD)])));
"""

pytestmark = pytest.mark.any_database


def concern_of(letters: int) -> bytes:
    """Return a concern with that many letters, as it is sealed."""
    submission = orjson.dumps({"immediate_danger": "no", "concern": {"narrative": "x" * letters}})
    return concern_plaintext(submission, A_REFERENCE, EditionKey("example", 1), test=False, at=A_TUESDAY)


def test_a_thousand_concerns_have_seven_lengths_when_sealed() -> None:
    chance = random.Random(7)  # noqa: S311  # lengths of invented texts
    letters = [int(math.exp(chance.uniform(math.log(100), math.log(20_000)))) for _ in range(1_000)]

    lengths = Counter(len(concern_of(each)) for each in letters)

    bare = sum(len(concern_of(each).rstrip()) for each in letters)
    padded = sum(length * number for length, number in lengths.items())
    shares = [number / 1_000 for number in lengths.values()]
    bits = -sum(share * math.log2(share) for share in shares)
    assert set(lengths) == {1024, 2048, *range(LARGEST_STEP, 5 * LARGEST_STEP + 1, LARGEST_STEP)}
    assert min(lengths.values()) > 30
    assert bits < 2.6, f"an observer learns {bits:.2f} bits from {sorted(lengths.items())}"
    assert padded < 1.35 * bare, f"the texts are {padded / bare - 1:.0%} longer"


def test_sealed_entries_of_one_letter_and_500_have_equal_length() -> None:
    def lengths_of(text: str) -> set[int]:
        addition = Addition.model_validate({"concern": {"narrative": text}})
        key = recipient_of(derive_public_key("ABCD", A_REFERENCE))
        message = seal_message(text, A_REFERENCE, key, at=A_TUESDAY)
        return {
            len(addition_plaintext(addition, A_REFERENCE, at=A_TUESDAY)),
            len(written_plaintext(EntryKind.NOTE, text, A_REFERENCE, author="a/" + "b" * 60)),
            len(decrypt(message, [token_identity("ABCD", A_REFERENCE)])),
        }

    assert lengths_of("x") == lengths_of("x" * 500) == {LEAST_TEXT}


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_the_browser_pads_to_the_lengths_of_the_service() -> None:
    lengths = [1, 511, 512, 513, 1024, 1025, 2048, 2049, 4096, 4097, 60_123, 200_000]

    found = subprocess.run(
        ["node", "--input-type=module", "-e", IN_BROWSER, "--", str(SCRIPT), json.dumps(lengths)],
        capture_output=True,
        check=True,
        text=True,
    )

    assert json.loads(found.stdout) == [[len(pad(b"x" * each)), len(pad(b"x" * each, LEAST_CARD))] for each in lengths]


def test_an_older_note_without_padding_is_read_and_padded_when_resealed(
    service: FastAPI, desk: Desk, settings: Settings, reference: str, database: RawConnection, tmp_path: Path
) -> None:
    keys = desk.get("/recipients").json()["recipients"]
    older = make_sealer(keys).seal(orjson.dumps({"reference": reference, "note": {"text": "An older note."}}))
    body = {"sealed": base64.b64encode(older).decode(), "recipients": keys}
    desk.http.post(f"/v1/desk/concerns/{reference}/notes", json=body, headers=desk.headers)
    context, new = service.state.context, make_sealer([create_identity(tmp_path / "new", at=A_TUESDAY)])
    former = read_identities(settings.data_dir / DEVELOPMENT_IDENTITY)

    read = desk.get(f"/concerns/{reference}/notes").json()["notes"]
    reseal(context.engine, context.writer, former, new, actor=Actor("operator", "here", A_TUESDAY))

    ((sealed,),) = database.execute("SELECT sealed FROM entries WHERE kind = 'note'").fetchall()
    assert [each["text"] for each in read] == ["An older note."]
    assert len(read_identities(tmp_path / "new").decrypt(sealed)) == LEAST_TEXT
