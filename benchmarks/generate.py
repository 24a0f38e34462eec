"""Writes logs of one day for the benchmarks, the same ones each time.

    python benchmarks/generate.py auth|access|quiet-auth|quiet-access LINES OUT

quiet-* is an ordinary day: scheduled jobs, services, staff at work. The others add attacks.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 20261117
DAY = 86_400
HOST = "web-izin"
STAFF = ("rahmat", "yusuf", "sari", "dewi", "operator", "bambang")
SERVICES = ("nginx", "php8.2-fpm", "postgresql@15-main", "fwupd-refresh", "apt-daily", "logrotate")
JOBS = ("root", "www-data", "postgres", "backup")
NAMES = ("root", "admin", "test", "oracle", "ubuntu", "git", "user", "ftpuser", "deploy", "pi")
KEY = "SHA256:Zy7q0gBX1yE3hN5mC8tUvWp2rKsLdF4aJ6oQxTiGnHk"
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
)
PAGES = ("/", "/layanan", "/layanan/izin-usaha", "/berita", "/kontak", "/antrean", "/masuk")
FILES = ("/css/app.css", "/js/app.js", "/img/logo.png", "/favicon.ico", "/fonts/inter.woff2")
PROBES = (
    "/.env", "/wp-login.php", "/.git/HEAD", "/phpmyadmin/", "/admin.php", "/server-status",
    "/berita?id=1%27%20UNION%20SELECT%20NULL,version()--%20-",
    "/cari?q=%3Cscript%3Ealert(1)%3C/script%3E", "/unduh?file=../../../../etc/passwd",
    "/cgi-bin/.%2e/.%2e/.%2e/bin/sh", "/berita?id=7+AND+SLEEP(5)",
)  # fmt: skip


def quiet_auth(chance: random.Random) -> Iterator[str]:
    """Yield the messages of one happening of an ordinary day, without time and host."""
    pid = chance.randrange(400, 60_000)
    kind = chance.random()
    if kind < 0.66:
        user = chance.choice(JOBS)
        service = f"CRON[{pid}]: pam_unix(cron:session): session"
        yield f"{service} opened for user {user}(uid={chance.randrange(40)}) by (uid=0)"
        yield f"{service} closed for user {user}"
    elif kind < 0.99:
        unit = chance.choice(SERVICES)
        yield f"systemd[1]: Starting {unit}.service - Scheduled work of {unit}..."
        yield f"systemd[1]: {unit}.service: Deactivated successfully."
        yield f"systemd[1]: Finished {unit}.service - Scheduled work of {unit}."
    else:
        user, number = chance.choice(STAFF), chance.randrange(100, 9000)
        address, port = f"10.61.12.{chance.randrange(10, 60)}", chance.randrange(32_768, 61_000)
        yield f"sshd[{pid}]: Accepted publickey for {user} from {address} port {port} ssh2: ED25519 {KEY}"
        yield f"sshd[{pid}]: pam_unix(sshd:session): session opened for user {user}(uid=1001) by (uid=0)"
        yield f"systemd-logind[612]: New session {number} of user {user}."
        yield f"sudo:   {user} : TTY=pts/0 ; PWD=/home/{user} ; USER=root ; COMMAND=/usr/bin/systemctl status nginx"
        yield "sudo: pam_unix(sudo:session): session opened for user root(uid=0) by (uid=1001)"
        yield "sudo: pam_unix(sudo:session): session closed for user root"
        yield f"sshd[{pid}]: Received disconnect from {address} port {port}:11: disconnected by user"
        yield f"sshd[{pid}]: Disconnected from user {user} {address} port {port}"
        yield f"sshd[{pid}]: pam_unix(sshd:session): session closed for user {user}"


def auth(chance: random.Random) -> Iterator[str]:
    """Yield the messages of one happening of a day under attack."""
    if chance.random() < 0.25:
        yield from quiet_auth(chance)
        return
    pid, port = chance.randrange(400, 60_000), chance.randrange(32_768, 61_000)
    address = f"203.0.113.{chance.randrange(256)}"
    name = chance.choice(NAMES)
    if chance.random() < 0.5:
        name = f"{name}{chance.randrange(1000)}"
        yield f"sshd[{pid}]: Invalid user {name} from {address} port {port}"
        yield f"sshd[{pid}]: Failed password for invalid user {name} from {address} port {port} ssh2"
        yield f"sshd[{pid}]: Connection closed by invalid user {name} {address} port {port} [preauth]"
    else:
        yield (
            f"sshd[{pid}]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 "
            f"tty=ssh ruser= rhost={address}  user={name}"
        )
        for _ in range(chance.randrange(1, 4)):
            yield f"sshd[{pid}]: Failed password for {name} from {address} port {port} ssh2"
        yield f"sshd[{pid}]: Connection closed by authenticating user {name} {address} port {port} [preauth]"


def quiet_access(chance: random.Random) -> Iterator[str]:
    """Yield the requests of one visit: address, request, status, bytes, referrer, user agent."""
    address = f"198.51.100.{chance.randrange(256)}"
    agent = chance.choice(AGENTS)
    page = chance.choice(PAGES)
    if chance.random() < 0.3:
        page = f"/antrean?nomor={chance.randrange(100_000)}&hari=senin"
    yield _request(address, f"GET {page} HTTP/1.1", 200, chance.randrange(2000, 60_000), "-", agent)
    for file in chance.sample(FILES, 3):
        referrer = f"https://izin.contoh-kab.example{page.partition('?')[0]}"
        yield _request(
            address, f"GET {file} HTTP/1.1", chance.choice((200, 200, 304)), 4312, referrer, agent
        )
    if chance.random() < 0.1:
        yield _request(address, "POST /masuk HTTP/1.1", 302, 0, "-", agent)


def access(chance: random.Random) -> Iterator[str]:
    """Yield the requests of one visit of a day with attacks."""
    if chance.random() < 0.85:
        yield from quiet_access(chance)
        return
    address = f"203.0.113.{chance.randrange(256)}"
    agent = chance.choice(("sqlmap/1.8.4#stable (https://sqlmap.org)", "gobuster/3.6", AGENTS[0]))
    for probe in chance.sample(PROBES, 4):
        status = chance.choice((404, 404, 403, 200))
        yield _request(address, f"GET {probe} HTTP/1.1", status, 153, "-", agent)


def _request(address: str, request: str, status: int, size: int, referrer: str, agent: str) -> str:
    return f'{address} - - [%s] "{request}" {status} {size} "{referrer}" "{agent}"'


def write(kind: str, lines: int, out: Path) -> None:
    """Write *lines* lines of *kind*, spread over the day, to *out*."""
    chance = random.Random(SEED)
    happenings = {
        "auth": auth, "quiet-auth": quiet_auth, "access": access, "quiet-access": quiet_access,
    }[kind]  # fmt: skip
    written = 0
    with out.open("w", encoding="ascii", newline="\n") as file:
        while written < lines:
            second = written * DAY // lines
            clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            for text in happenings(chance):
                if written == lines:
                    break
                if kind.endswith("auth"):
                    file.write(f"Nov 17 {clock} {HOST} {text}\n")
                else:
                    before, after = text.split("%s", 1)
                    file.write(f"{before}17/Nov/2026:{clock} +0700{after}\n")
                written += 1


def main() -> None:
    """Read the command line."""
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    write(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))


if __name__ == "__main__":
    main()
