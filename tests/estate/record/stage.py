"""The stage: a movable wall clock, network namespaces and hosts with their own root and name."""

from __future__ import annotations

import ctypes
import mmap
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIB = timezone(timedelta(hours=7))
CLONE_NEWNET = 0x40000000
# Cron wakes a second after the minute, and needs a moment when it has jobs.
CRON_WAKES = timedelta(seconds=1.3)
CRON_MINUTES = {*range(0, 60, 10), 15, 17, 25}
CLEAN = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "TERM": "xterm",
}
SECOND = 1_000_000_000


class Clock:
    """The wall clock of the recorded day; `wallclock.c` reads what is written here."""

    layout = struct.Struct("=Qqqqq")

    def __init__(self, start: datetime) -> None:
        self._pages: list[tuple[mmap.mmap, bool]] = []
        self._turn = 0
        self._wall = int(start.timestamp()) * SECOND
        self._monotonic = time.monotonic_ns()

    def share(self, path: Path, *, audit: bool) -> None:
        """Write this clock into `path` too, for one host."""
        path.write_bytes(bytes(mmap.PAGESIZE))
        path.chmod(0o644)
        with path.open("r+b") as file:
            self._pages.append((mmap.mmap(file.fileno(), mmap.PAGESIZE), audit))
        self._write()

    def now(self) -> datetime:
        """What the hosts believe the time to be."""
        passed = time.monotonic_ns() - self._monotonic
        return datetime.fromtimestamp((self._wall + passed) / SECOND, WIB)

    def jump(self, to: datetime) -> None:
        """Move the clock at once."""
        self._wall, self._monotonic = int(to.timestamp() * SECOND), time.monotonic_ns()
        self._write()

    def advance(self, to: datetime) -> None:
        """Move the clock minute by minute, so that cron sees every minute and has time to act."""
        while (left := to - self.now()) > timedelta(seconds=0.2):
            begun = (self.now() - CRON_WAKES).replace(second=0, microsecond=0)
            minute = begun + timedelta(minutes=1) + CRON_WAKES
            if left < timedelta(seconds=1) or minute >= to:
                self.jump(to)
                return
            self.jump(minute)
            time.sleep(0.25 if minute.minute in CRON_MINUTES else 0.03)

    def _write(self) -> None:
        self._turn += 1
        for page, audit in self._pages:
            values = (self._wall, self._monotonic, 1000, int(audit))
            page[: self.layout.size] = self.layout.pack(2 * self._turn - 1, *values)
            page[: self.layout.size] = self.layout.pack(2 * self._turn, *values)


def run(*command: str, check: bool = True) -> str:
    """Run a program of the recording machine and return what it says."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


class Network:
    """Named network namespaces around one gateway; nothing of it reaches the machine's network."""

    def __init__(self) -> None:
        # The names live in a directory of this private mount namespace and die with it.
        Path("/run/netns").mkdir(exist_ok=True)
        run("mount", "-t", "tmpfs", "tmpfs", "/run/netns")
        self.add("gw")
        run("ip", "-n", "gw", "link", "add", "lan", "type", "bridge")
        self._up("gw", "lan", "10.61.12.1/24")
        run("ip", "netns", "exec", "gw", "sysctl", "-qw", "net.ipv4.ip_forward=1")

    def add(self, name: str) -> None:
        """Make a namespace without IPv6 (its chatter would fill the captures)."""
        run("ip", "netns", "add", name)
        run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        run("ip", "-n", name, "link", "set", "lo", "up")

    def join_lan(self, name: str, number: int, addresses: Sequence[str]) -> None:
        """Attach a namespace to the office network."""
        self._cable(name, number)
        run("ip", "-n", "gw", "link", "set", f"to-{name}", "master", "lan", "up")
        for address in addresses:
            self._up(name, "eth0", f"{address}/24")
        run("ip", "-n", name, "route", "add", "default", "via", "10.61.12.1")

    def join_outside(self, name: str, number: int, addresses: Sequence[str]) -> None:
        """Attach the rest of the world, with many addresses in one namespace."""
        self._cable(name, number)
        self._up("gw", f"to-{name}", "192.0.2.1/30")
        self._up(name, "eth0", "192.0.2.2/30")
        for address in addresses:
            run("ip", "-n", name, "addr", "add", f"{address}/32", "dev", "lo")
        run("ip", "-n", name, "route", "add", "10.61.12.0/24", "via", "192.0.2.1")
        for block in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"):
            run("ip", "-n", "gw", "route", "add", block, "via", "192.0.2.2")

    def leave_from(self, name: str, address: str) -> None:
        """Let programs of `name` that choose no source address come from `address`."""
        route = ("10.61.12.0/24", "via", "192.0.2.1", "src", address)
        run("ip", "-n", name, "route", "replace", *route)

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Open sockets of this thread in the namespace `name`."""
        libc = ctypes.CDLL(None, use_errno=True)
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{name}", os.O_RDONLY)
        try:
            if libc.setns(there, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            yield
        finally:
            libc.setns(home, CLONE_NEWNET)
            os.close(home)
            os.close(there)

    def _cable(self, name: str, number: int) -> None:
        near = ("link", "add", f"to-{name}", "address", f"02:61:12:00:01:{number:02x}")
        far = ("peer", "name", "eth0", "address", f"02:61:12:00:00:{number:02x}", "netns", name)
        run("ip", "-n", "gw", *near, "type", "veth", *far)

    def _up(self, name: str, device: str, address: str) -> None:
        run("ip", "-n", name, "addr", "add", address, "dev", device)
        run("ip", "-n", name, "link", "set", device, "up")


@dataclass(slots=True)
class Host:
    """A root of its own over the shared base, with its own host name and network."""

    name: str
    network: str
    base: Path
    room: Path
    moved_clock: bool = True
    _keeper: subprocess.Popen[bytes] = field(init=False)

    @property
    def root(self) -> Path:
        """Where the recorder sees this host's files."""
        return self.room / "root"

    def raise_up(self, clock: Clock, library: Path, *, audit: bool) -> None:
        """Mount the root and keep the namespaces open with one sleeping process."""
        for part in ("upper", "work", "root"):
            (self.room / part).mkdir(parents=True)
        layers = f"lowerdir={self.base},upperdir={self.room}/upper,workdir={self.room}/work"
        run("mount", "-t", "overlay", "overlay", "-o", layers, str(self.root))
        self._mount_kernel_files()
        (self.root / "etc/hostname").write_text(f"{self.name}\n")
        if self.moved_clock:
            state = self.root / "run/wallclock"
            clock.share(state, audit=audit)
            shutil.copy(library, self.root / "usr/lib/wallclock.so")
            (self.root / "etc/ld.so.preload").write_text("/usr/lib/wallclock.so\n")
        keep = f"hostname {self.name}; exec chroot {self.root} sleep infinity"
        self._keeper = subprocess.Popen(
            ["ip", "netns", "exec", self.network, "unshare", "--mount", "--uts", "sh", "-c", keep],
            env=CLEAN,
            stdin=subprocess.DEVNULL,
        )
        time.sleep(0.5)

    def _mount_kernel_files(self) -> None:
        root = self.root
        run("mount", "-t", "proc", "proc", f"{root}/proc")
        run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", f"{root}/run")
        run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", f"{root}/dev")
        for folder in ("dev/pts", "dev/shm", "dev/net", "run/sshd", "run/lock", "run/postgresql"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "dev/shm").chmod(0o1777)
        run("mount", "-t", "devpts", "-o", "newinstance,ptmxmode=666", "devpts", f"{root}/dev/pts")
        (root / "dev/ptmx").symlink_to("pts/ptmx")
        for link, to in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
            (root / "dev" / link).symlink_to(f"/proc/self/{to}")
        for device in ("null", "zero", "full", "random", "urandom", "tty", "net/tun"):
            if Path("/dev", device).exists():
                (root / "dev" / device).touch()
                run("mount", "--bind", f"/dev/{device}", f"{root}/dev/{device}")

    def command(self, *words: str, user: str = "root") -> list[str]:
        """The command line that runs `words` on this host."""
        enter = ["nsenter", f"--target={self._keeper.pid}", "--mount", "--uts", "--net"]
        enter += ["--root", "--wd"]
        # Not su or runuser: they would log a session that nobody opened.
        as_user = [] if user == "root" else ["setpriv", f"--reuid={user}", "--init-groups"]
        if as_user:
            gid = run(*enter, "id", "-g", user).strip()
            as_user.append(f"--regid={gid}")
        return [*enter, *as_user, *words]

    def run(self, *words: str, user: str = "root", check: bool = True) -> str:
        """Run a program to its end."""
        command = self.command(*words, user=user)
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            env=CLEAN,
            stdin=subprocess.DEVNULL,
        )
        if check and done.returncode:
            raise RuntimeError(f"{self.name}: {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def start(
        self, *words: str, user: str = "root", log: str = "/dev/null"
    ) -> subprocess.Popen[bytes]:
        """Start a program and go on."""
        with Path(log).open("ab") as out:
            command = self.command(*words, user=user)
            return subprocess.Popen(
                command, env=CLEAN, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )

    def put(self, source: Path, target: str, mode: int = 0o644) -> None:
        """Copy a file or a tree of the recorder onto this host."""
        place = self.root / target
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, place)
            place.chmod(mode)

    def stop(self) -> None:
        """End every process of this host, known by its root; nobody else's."""
        mine = Path(f"/proc/{self._keeper.pid}/ns/mnt").stat().st_ino
        for sign in (signal.SIGTERM, signal.SIGKILL):
            for process in Path("/proc").glob("[0-9]*"):
                # A process may end between the look and the signal.
                with suppress(OSError):
                    pid = int(process.name)
                    if pid != self._keeper.pid and (process / "ns/mnt").stat().st_ino == mine:
                        os.kill(pid, sign)
            time.sleep(1.5)
        self._keeper.kill()
        self._keeper.wait()


class Session:
    """One interactive ssh login: commands go in, the prompt that follows is awaited."""

    prompt = re.compile(rb"[$#] $")

    def __init__(self, client: Host, login: str, *options: str, password: str = "") -> None:
        fixed = ["-tt", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
        answer = ["env", f"LOGIN_PASSWORD={password}", "SSH_ASKPASS=/usr/lib/answer", "DISPLAY=:0"]
        answer += ["SSH_ASKPASS_REQUIRE=force"]
        ways = ["-o", f"PreferredAuthentications={'password' if password else 'publickey'}"]
        ways += ["-o", "NumberOfPasswordPrompts=1"]
        self._process = subprocess.Popen(
            client.command(*answer, "ssh", *fixed, *ways, *options, login),
            env=CLEAN,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.open = self._await(self.prompt) is not None

    def type(self, line: str, password: str = "", until: bytes = b"") -> str:
        """Type a line, answer a password question, and return what the screen shows."""
        if not self.open:
            return ""
        self._send(line)
        ends = re.compile(until) if until else re.compile(rb"[$#] $|assword[^\n]*: ?$")
        seen = self._await(ends) or b""
        if password and b"assword" in seen.rsplit(b"\n", 1)[-1]:
            self._send(password)
            seen = self._await(self.prompt) or b""
        return seen.decode(errors="replace")

    def close(self) -> None:
        """Leave the shells one after the other."""
        for _ in range(3):
            if self._process.poll() is None:
                self._send("exit")
                time.sleep(0.15)
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.terminate()

    def _send(self, line: str) -> None:
        pipe = self._process.stdin
        if pipe is None:
            return
        try:
            pipe.write(line.encode() + b"\r")
            pipe.flush()
        except BrokenPipeError:
            self.open = False

    def _await(self, ends: re.Pattern[bytes], patience: float = 8.0) -> bytes | None:
        seen = b""
        pipe = self._process.stdout
        deadline = time.monotonic() + patience
        while pipe is not None and time.monotonic() < deadline:
            if not select.select([pipe], [], [], 0.2)[0]:
                continue
            piece = os.read(pipe.fileno(), 65536)
            if not piece:
                self.open = False
                return None
            seen += piece
            if ends.search(seen):
                return seen
        return seen or None
