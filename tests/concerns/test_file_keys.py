"""The key of one sealed text: it opens that text, and proves its words."""

import pyrage
import pytest
from pyrage import x25519

from app.age.files import find_file_key, open_with_file_key
from app.age.keys import NotOpened, NotThatFile
from tests.support.loops import for_each

pytestmark = pytest.mark.any_database
IDENTITIES = [x25519.Identity.generate() for _ in range(3)]


def seal(text: bytes) -> bytes:
    sealed: bytes = pyrage.encrypt(text, [each.to_public() for each in IDENTITIES[:2]])
    return sealed


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


@for_each("sealed", [b"", b"rubbish", b"age-encryption.org/v1\n-> X25519 a\n!\n--- a\n", seal(b"x")[:-1]])
def test_what_is_no_whole_age_file_is_refused(sealed: bytes) -> None:
    with pytest.raises(NotThatFile):
        open_with_file_key(sealed, bytes(16))
