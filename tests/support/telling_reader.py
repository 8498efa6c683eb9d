"""A reader of files that tells what its process may do, in place of reading the file."""

import json
import os
import resource
from pathlib import Path

IMPORTED_BY = os.getpid()
LIMITS = (resource.RLIMIT_CPU, resource.RLIMIT_DATA, resource.RLIMIT_CORE)


def read(_name: str, _data: bytes) -> str:
    """Return the names of the environment, the limits, and the number of open files, as a draft."""
    open_files = [each for each in os.listdir("/proc/self/fd") if Path(f"/proc/self/fd/{each}").exists()]
    told = {
        "environment": sorted(os.environ),
        "limits": [resource.getrlimit(each) for each in LIMITS],
        "open_files": len(open_files),
        "imported_by": IMPORTED_BY,
    }
    return json.dumps({"content": told, "unplaced": {}})
