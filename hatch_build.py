"""The step of the build back-end that puts the commit into a wheel and a source archive, as `app/commit.txt`."""

import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACES = {"wheel": "one_minute_guide/app/commit.txt", "sdist": "app/commit.txt"}


class CommitHook(BuildHookInterface[Any]):
    """Not for an editable installation, which asks its clone."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the file that the tree has, as a source archive does, or else one made of the commit."""
        spec = spec_from_file_location("build_of_this_tree", Path(self.root) / "app" / "build.py")
        if spec is None or spec.loader is None or version == "editable":
            return
        build = module_from_spec(spec)
        spec.loader.exec_module(build)
        commit, file = build.built_commit(), build.COMMIT_FILE
        if not commit:
            return
        if not file.exists():
            self.folder = tempfile.TemporaryDirectory()
            file = Path(self.folder.name) / "commit.txt"
            file.write_text(f"{commit}\n", encoding="ascii")
        build_data["force_include"][str(file)] = PLACES[self.target_name]

    def finalize(self, *_: Any) -> None:
        """Remove the file."""
        if hasattr(self, "folder"):
            self.folder.cleanup()
