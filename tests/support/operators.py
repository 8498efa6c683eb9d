"""Operators beside a running service, for the tests of faults: they reseal and sign checkpoints, over and over.

They run the commands in processes of their own, which can be killed.
"""

import itertools
import json
import random
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from typer.testing import CliRunner

from app.cli.commands import app
from app.services.concerns.keys import create_identity
from app.services.concerns.sealing import Unsealer, read_identities
from tests.support.clock import A_TUESDAY
from tests.support.command import ROOT
from tests.support.live import environment_for

ONE_SENTENCE = re.compile(r"(?:\{[^\n]*\}\n)*[^\n{][^\n]*\n")  # after lines of the log
CHANCE_OF_A_KILL = 0.4
CHANCES = random.SystemRandom()


class OperatorProcess:
    """The process of one operator. Where it was killed, the next command starts another."""

    def __init__(self, data_dir: Path) -> None:
        self._environment = environment_for(data_dir)
        self._process: subprocess.Popen[str] | None = None

    def run(self, words: list[str], settings: dict[str, str]) -> tuple[int, str, str] | None:
        """Run a command, and return its exit code, output and errors; None where it was killed."""
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.operator_program"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps([words, settings]) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return None
        answer = self._process.stdout.readline()
        if not answer.endswith("\n"):
            return None
        code, output, said = json.loads(answer)
        return code, output, said

    def kill(self) -> None:
        """Send SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """End it, whatever it does."""
        self.kill()
        if self._process is not None:
            with suppress(BrokenPipeError):
                self._process.communicate()


class Operators:
    """One who reseals everything, now to one recipient and then to the other, and one who signs checkpoints.

    `resealed` is how many texts the commands said that they re-encrypted; a command that was killed said nothing.
    """

    def __init__(self, data_dir: Path, folder: Path, database_url: str | None) -> None:
        self._folder = folder
        self._settings = {} if database_url is None else {"GUIDANCE_DATABASE_URL": database_url}
        self._words = ["--data-dir", str(data_dir)]
        self.recipients = [create_identity(folder / name, at=A_TUESDAY) for name in ("first", "second")]
        self._identities = folder / "identities.txt"
        self._identities.write_text("".join((folder / name).read_text() for name in ("first", "second")))
        self._targets = itertools.cycle(reversed(self.recipients))
        self._numbers = itertools.count(1)
        self._processes = (OperatorProcess(data_dir), OperatorProcess(data_dir))
        self.resealed = 0
        self.killed = 0
        self.finished = 0
        self.failures: list[str] = []

    @property
    def unsealer(self) -> Unsealer:
        """What opens every text, whichever recipient it is sealed to."""
        return read_identities(self._identities)

    @property
    def checkpoints(self) -> list[Path]:
        """The checkpoints that were written whole: what a second party would have."""
        return [each for each in sorted(self._folder.glob("checkpoint-*.txt")) if each.read_text().endswith("\n")]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Run their commands for as long as the block runs, and until the last of them has ended."""
        stop = threading.Event()
        with ThreadPoolExecutor(2) as pool:
            works = (self._reseal, self._sign_a_checkpoint)
            working = [pool.submit(self._work, stop, *each) for each in zip(works, self._processes, strict=True)]
            try:
                yield
            finally:
                stop.set()
        for each in working:
            each.result()

    def perhaps_kill(self) -> None:
        """Kill the process of each of them, or let it be, by chance."""
        for process in self._processes:
            if CHANCES.random() < CHANCE_OF_A_KILL:
                process.kill()
                self.killed += 1

    def close(self) -> None:
        """End their processes."""
        for process in self._processes:
            process.close()

    @staticmethod
    def _work(stop: threading.Event, work: Callable[[OperatorProcess], None], process: OperatorProcess) -> None:
        while not stop.is_set():
            work(process)

    def _reseal(self, process: OperatorProcess) -> None:
        words = ["keys", "reseal", "--identity", str(self._identities)]
        output = self._run(process, words, {"GUIDANCE_SEAL_TO": next(self._targets)})
        self.resealed += int(output.split(" ")[0]) if output else 0

    def _sign_a_checkpoint(self, process: OperatorProcess) -> None:
        file = self._folder / f"checkpoint-{next(self._numbers):05}.txt"
        self._run(process, ["audit", "checkpoint", "--out", str(file)], {})

    def _run(self, process: OperatorProcess, words: list[str], settings: dict[str, str]) -> str:
        """Run a command, and return its output; nothing where it failed or was killed."""
        ended = process.run([*words, *self._words], self._settings | settings)
        if ended is None:
            return ""
        code, output, said = ended
        if code:
            self.failures.append(said)
            return ""
        self.finished += 1
        return output

    def verify(self) -> str:
        """Run `guidance verify` with every checkpoint, and return what it found wrong: nothing, if all is well."""
        options = [word for each in self.checkpoints for word in ("--checkpoint", str(each))]
        ended = CliRunner().invoke(app, ["verify", *options, *self._words], env=self._settings)
        return "" if ended.exit_code == 0 else f"{ended.output}{ended.exception!r}"

    @property
    def unexplained(self) -> list[str]:
        """What failed commands said, where it is not one sentence for the operator."""
        return [each for each in self.failures if not ONE_SENTENCE.fullmatch(each)]
