"""Decryption of sealed concerns with an identity (age-encryption.org/v1). Needs the extra `age`."""

import json
from typing import Any

try:
    import pyrage
except ImportError:
    raise ImportError("guidance_client.sealed needs the extra `age`: pip install 'guidance-client[age]'") from None

from guidance_client.errors import NotGenuine


def open_sealed(sealed: bytes, identity: str, *, reference: str) -> dict[str, Any]:
    """Return the concern or addition in the sealed file, with its reference, time, guide and text.

    `identity` is the text `AGE-SECRET-KEY-1...`. `reference` is the reference of the concern that the file was fetched
    for. Raise `NotGenuine` if the identity does not decrypt the file, or if the file contains another reference.
    """
    try:
        opened = json.loads(pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(identity)]))
    except (pyrage.DecryptError, pyrage.IdentityError, ValueError):
        raise NotGenuine("This identity does not open the file, or the file is damaged.") from None
    if not isinstance(opened, dict) or opened.get("reference") != reference:
        raise NotGenuine("The file holds another concern than its reference says.")
    return opened
