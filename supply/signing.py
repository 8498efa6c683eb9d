"""Signatures of a release by an SSH key. `supply/release_signers` has the public keys that count."""

import subprocess
from pathlib import Path

from supply.locks import ROOT

SIGNERS = ROOT / "supply" / "release_signers"
PRINCIPAL = "release"


class UnknownSigner(Exception):
    """The key is not one of those that sign releases. The message says how to add it."""


def check_signer(key: Path) -> None:
    """Raise `UnknownSigner` if `SIGNERS` does not have the public key of `key`: nobody could check its signature."""
    if not key.is_file():
        raise UnknownSigner(f"There is no key {key}.")
    public = " ".join(_ssh_keygen("-y", "-f", str(key)).split()[:2])
    lines = SIGNERS.read_text(encoding="utf-8").splitlines()
    if not any(public in line for line in lines if not line.startswith("#")):
        line = f'{PRINCIPAL} namespaces="file,git" {public}'
        raise UnknownSigner(
            f"supply/release_signers does not have the key {key}. Commit this line in it first:\n{line}"
        )


def sign(file: Path, key: Path) -> Path:
    """Sign `file` by `key`, check the signature as a stranger does, and return the file with the signature."""
    _ssh_keygen("-Y", "sign", "-q", "-f", str(key), "-n", "file", str(file))
    signature = file.with_name(f"{file.name}.sig")
    verify = ("-Y", "verify", "-f", str(SIGNERS), "-I", PRINCIPAL, "-n", "file", "-s", str(signature))
    _ssh_keygen(*verify, given=file.read_bytes())
    return signature


def tag_options(key: Path) -> list[str]:
    """Return the options by which git signs with `key`."""
    return ["-c", "gpg.format=ssh", "-c", f"user.signingKey={key.resolve()}"]


def _ssh_keygen(*arguments: str, given: bytes | None = None) -> str:
    ran = subprocess.run(["ssh-keygen", *arguments], input=given, check=True, stdout=subprocess.PIPE)  # noqa: S607
    return ran.stdout.decode()
