"""The audit of everything that is locked: `python -m supply.audit [--offline] [option of pip-audit ...]`.

What needs no network comes first: every package has a hash, and terms that are allowed. Then each package is sent to a
vulnerability service (OSV for Python, the registry's own for what is inside the script of the desk). It fails where one
is known to be vulnerable, and where a service does not answer, so that no answer never passes for a good one.
`--offline` leaves the services out, and says so.
"""

import subprocess
import sys
from collections.abc import Sequence

from supply.licences import not_allowed
from supply.locks import BUNDLED, NPM_LOCKS, PYTHON_LOCKS, ROOT, npm_packages, python_packages, unlocked

OFFLINE = "--offline"
PIP_AUDIT = ("--strict", "--disable-pip", "--require-hashes", "--progress-spinner", "off")
NPM_AUDIT = ("npm", "audit", "--package-lock-only", "--omit=dev", "--prefix", BUNDLED)
NOT_ASKED = "NOT sent to a vulnerability service: so nothing is known of weaknesses."


def audit_offline() -> list[str]:
    """Return what is wrong in the lock files themselves."""
    return [*(f"no hash: {each}" for each in unlocked()), *(f"terms: {each}" for each in not_allowed())]


def audit_online(options: Sequence[str]) -> list[str]:
    """Return what a vulnerability service found, or did not answer for. Its own words are printed as they come."""
    program = [sys.executable, "-m", "pip_audit", *PIP_AUDIT, "--vulnerability-service", "osv", *options]
    runs = {f"requirements/{lock}": [*program, "--requirement", f"requirements/{lock}"] for lock in PYTHON_LOCKS}
    runs[BUNDLED] = [*NPM_AUDIT]
    return [f"{name}: see above" for name, command in runs.items() if not _succeeds(command)]


def _succeeds(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, cwd=ROOT, check=False).returncode == 0
    except FileNotFoundError:
        print(f"{command[0]} is not installed.")
        return False


def main() -> None:
    """Audit, and end with exit status 1 where something was found or no service answered."""
    options = sys.argv[1:]
    count = sum(len(python_packages(lock)) for lock in PYTHON_LOCKS) + sum(map(len, map(npm_packages, NPM_LOCKS)))
    found = audit_offline()
    print(*found, f"Offline: {count} locked packages have a hash and allowed terms, but for {len(found)}.", sep="\n")
    if OFFLINE in options:
        print(NOT_ASKED)
    else:
        sys.stdout.flush()
        online = audit_online(options)
        print(*online, f"Online: {len(PYTHON_LOCKS) + 1} lock files, of which {len(online)} failed.", sep="\n")
        found += online
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
