"""The audit of everything that is locked: `python -m supply.audit [--offline] [option of pip-audit ...]`.

The audit first checks what needs no network: every package has a hash, and its licence is allowed. Then it sends each
package to a vulnerability service: OSV for Python, and the npm registry for the packages inside the desk's script. It
fails if a package is known to be vulnerable, and also if a service does not respond: silence must not pass for a good
result. `--offline` skips the vulnerability services, and says so.
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
    """Return the faults of the lock files: packages without a hash, and licences that are not allowed."""
    return [*(f"no hash: {each}" for each in unlocked()), *(f"terms: {each}" for each in not_allowed())]


def audit_online(options: Sequence[str]) -> list[str]:
    """Return the lock files for which a vulnerability service reported a weakness or did not respond.

    The programs that ask these services print their own findings.
    """
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
    """Run the audit. Exit with status 1 if there was a finding, or if a vulnerability service did not respond."""
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
