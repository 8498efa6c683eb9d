"""A new machine with Debian: systemd is its first process, and its network is its own, without a way out.

What a machine gets from others is there: names in the DNS, and a mail server whose certificate it trusts.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.support.mail_server import make_certificate
from tests.support.proxies import need
from tests.support.waiting import eventually

SUITE = "trixie"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
"""Those that this machine trusts, with which the other one fetches packages of Python."""
BEGINS_WITH = "ca-certificates,systemd"
NAMES, MAIL = ("guidance.council.example", "mail.council.example"), "mail.council.example"
OWN = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")
PLACES = """
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t tmpfs -o mode=0755 tmpfs dev
for each in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 0666 "dev/${each%:*}" c 1 "${each#*:}"; done
mknod -m 0666 dev/tty c 5 0
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
"""
"""The file systems that a machine has beside its own, without a device of this machine."""
INSTALLING = PLACES + 'exec chroot . /bin/bash -euc "cd /root; $2"'
BOOTING = (
    PLACES
    + """
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=0755 tmpfs run
mkdir run/before
pivot_root . run/before
umount --lazy /run/before
exec /lib/systemd/systemd
"""
)
"""What a container engine does: the settings of the kernel cannot be changed from inside."""
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PIP_CERT": f"/root/{AUTHORITIES.name}",
}


class Machine:
    """A machine in the folder `root`. Until it is booted, commands run in its files, with this machine's network."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._pid: int | None = None

    def run(self, block: str) -> str:
        """Run the block as root in its home, and return what it prints. A command that fails is a failed test."""
        ended = subprocess.run(
            self._command(block), env=self._environment(), check=False, capture_output=True, text=True, timeout=3600
        )
        assert ended.returncode == 0, f"{block}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def inside(self, *command: str | Path) -> list[str]:
        """Return the command that runs a program of this machine in the network of the booted one."""
        assert self._pid is not None
        return ["nsenter", f"--target={self._pid}", "--net", *map(str, command)]

    def _command(self, block: str) -> list[str]:
        if self._pid is None:
            return ["unshare", "--mount", "bash", "-euc", INSTALLING, "bash", str(self.root), block]
        spaces = [each for each in OWN if each != "--cgroup"]
        return ["nsenter", f"--target={self._pid}", *spaces, "--root", "bash", "-euc", f"cd /root\n{block}"]

    def _environment(self) -> dict[str, str]:
        proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
        return proxies | ENVIRONMENT

    @contextmanager
    def booted(self) -> Iterator[None]:
        """Boot it, and switch it off afterwards."""
        group = _own_cgroup()
        join = (
            f'echo $$ > {group}/cgroup.procs; exec unshare --fork --kill-child {" ".join(OWN)} bash -euc "$0" bash "$1"'
        )
        process = subprocess.Popen(
            ["bash", "-euc", join, BOOTING, str(self.root)], env={**ENVIRONMENT, "container": "test"}
        )
        try:
            assert eventually(lambda: psutil.Process(process.pid).children() or process.poll() is not None)
            self._pid = psutil.Process(process.pid).children()[0].pid
            assert eventually(self._has_booted, patience_seconds=60)
            yield
        finally:
            process.kill()
            process.wait(timeout=30)
            self._pid = None
            for each in [*sorted(group.rglob("*/"), reverse=True), group]:
                assert eventually(partial(_is_removed, each))

    def _has_booted(self) -> bool:
        asked = self._command("systemctl is-system-running")
        said = subprocess.run(asked, env=ENVIRONMENT, check=False, capture_output=True, text=True)
        return said.stdout.strip() in ("running", "degraded")


def _is_removed(group: Path) -> bool:
    """Remove the control group, and return whether that was possible: the last process in it may be ending."""
    try:
        group.rmdir()
    except OSError:
        return False
    return True


def _own_cgroup() -> Path:
    """Make a control group of version 2 for a machine."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    place = next((Path(words[1]) for words in mounts if words[2] == "cgroup2"), None)
    if place is None:
        pytest.skip("there are no control groups of version 2")
    group = place / f"machine-{os.getpid()}"
    group.mkdir(exist_ok=True)
    return group


@contextmanager
def new_machine(folder: Path) -> Iterator[Machine]:
    """Make a machine with nothing but Debian."""
    for program in ("mmdebstrap", "unshare", "nsenter"):
        need(program)
    if os.getuid() != 0:
        pytest.skip("only root can make a machine")
    machine = Machine(folder / "machine")
    packages = ["mmdebstrap", "--quiet", "--variant=apt", f"--include={BEGINS_WITH}", SUITE, str(machine.root)]
    subprocess.run(packages, check=True, capture_output=True)
    try:
        shutil.copy("/etc/resolv.conf", machine.root / "etc" / "resolv.conf")
        shutil.copy(AUTHORITIES, machine.root / "root" / AUTHORITIES.name)
        (machine.root / "etc" / "hosts").write_text(f"127.0.0.1 localhost {' '.join(NAMES)}\n")
        yield machine
    finally:
        shutil.rmtree(machine.root)


@contextmanager
def mail_server_of(machine: Machine, folder: Path) -> Iterator[Path]:
    """Run a mail server with STARTTLS in the network of the machine. Yield the folder of the emails that it takes."""
    certificate, emails = folder / "mail.pem", folder / "emails"
    files = [f"--tlscert={certificate}", f"--tlskey={certificate}"]
    command = [sys.executable, "-m", "aiosmtpd", "--nosetuid", "--listen=127.0.0.1:587", *files]
    with ExitStack() as ending:
        server = subprocess.Popen(
            machine.inside(*command, "--class=aiosmtpd.handlers.Mailbox", emails), stdout=subprocess.DEVNULL
        )
        ending.callback(server.wait, timeout=30)
        ending.callback(server.terminate)
        machine.run("until (exec 3<>/dev/tcp/127.0.0.1/587) 2>/dev/null; do sleep 0.2; done")
        yield emails


def trusted_mail_server(machine: Machine, folder: Path) -> None:
    """Make the certificate of the mail server, and let the machine trust it."""
    made = make_certificate(folder / "mail.pem", days=30, name=MAIL).read_text()
    begins = made.index("-----BEGIN CERTIFICATE-----")
    (machine.root / "usr" / "local" / "share" / "ca-certificates" / "mail.crt").write_text(made[begins:])
    machine.run("update-ca-certificates")
