"""The day: who does what at which time, and the ordinary traffic in which nothing is wrong."""

from __future__ import annotations

import heapq
import http.client
import itertools
import random
import subprocess
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from stage import WIB, Session

if TYPE_CHECKING:
    from residents import Resident
    from stage import Clock, Host, Network

# A story does one thing, then yields the seconds until its next, or a program to wait for.
Story = Generator["float | subprocess.Popen[bytes]", None, None]

WEB, DB = "10.61.12.10", "10.61.12.20"
DATE = datetime(2026, 11, 17, tzinfo=WIB)
SITE = "izin.contoh-kab.example"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15"
AGENTS = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Mobile Safari/537.36",
    f"{IPHONE} (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
)
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
MONITOR = "Uptime-Kuma/1.23.16"
PAGES = (
    "/izin", "/izin/1", "/izin/2", "/izin/5", "/berita", "/berita/12", "/berita/14", "/kontak",
    "/persyaratan", "/profil", "/pengumuman", "/jadwal", "/antrean/", "/antrean/layar",
)  # fmt: skip
RESIDENTS = [f"198.51.100.{number}" for number in range(101, 181)]
CLERKS = [f"10.61.12.{number}" for number in range(111, 117)]
CRAWLER, UPTIME = "192.0.2.33", "192.0.2.80"


def at(clock: str) -> datetime:
    """The moment of the recorded day, from "HH:MM"."""
    hours, minutes = clock.split(":")
    return DATE + timedelta(hours=int(hours), minutes=int(minutes))


@dataclass(slots=True)
class Day:
    """The stage and the order of everything that happens on it."""

    clock: Clock
    network: Network
    web: Host
    db: Host
    office: Host
    outside: Host
    resolver: Host
    people: list[Resident]
    chance: random.Random = field(default_factory=lambda: random.Random(611217))
    _queue: list[tuple[datetime, int, Story]] = field(default_factory=list)
    _waiting: list[tuple[subprocess.Popen[bytes], Story]] = field(default_factory=list)
    _count: itertools.count[int] = field(default_factory=itertools.count)

    def plan(self, when: datetime, story: Story) -> None:
        """Let a story begin at a time."""
        heapq.heappush(self._queue, (when, next(self._count), story))

    def play(self, until: datetime) -> None:
        """Tell all stories; the clock leaps between them, but runs true while a program works."""
        while self._waiting or (self._queue and self._queue[0][0] < until):
            self._resume_finished()
            due = self._queue[0][0] if self._queue else until
            if self._waiting and self.clock.now() < due:
                time.sleep(0.01)
                continue
            self.clock.advance(due)
            if self._queue:
                self._step(heapq.heappop(self._queue)[2])
        self.clock.advance(until)

    def _step(self, story: Story) -> None:
        result = next(story, None)
        if isinstance(result, subprocess.Popen):
            self._waiting.append((result, story))
        elif result is not None:
            self.plan(self.clock.now() + timedelta(seconds=result), story)

    def _resume_finished(self) -> None:
        for pair in [pair for pair in self._waiting if pair[0].poll() is not None]:
            self._waiting.remove(pair)
            self.plan(self.clock.now(), pair[1])

    def login(self, who: str, source: str, target: str = WEB, password: str = "") -> Session:
        """Log in by ssh from the office, by key unless a password is given."""
        options = ["-b", source] if password else ["-b", source, "-i", f"/root/{who}"]
        return Session(self.office, f"{who}@{target}", *options, password=password)


@dataclass(slots=True)
class Visitor:
    """Someone with a browser and an address."""

    day: Day
    address: str
    agent: str
    net: str = "outside"

    def ask(
        self,
        path: str,
        referer: str = "",
        form: dict[str, str] | None = None,
        file: tuple[str, bytes] | None = None,
        method: str = "GET",
    ) -> bytes:
        """Send one request and return the answer's body."""
        headers = {"Host": SITE, "User-Agent": self.agent, "Accept": "*/*"}
        if referer:
            headers["Referer"] = referer
        body: bytes | None = None
        if form is not None:
            method, body = "POST", urlencode(form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif file is not None:
            method, edge = "POST", "----izin7f3a"
            head = f'Content-Disposition: form-data; name="berkas"; filename="{file[0]}"'
            body = f"--{edge}\r\n{head}\r\n\r\n".encode() + file[1] + f"\r\n--{edge}--\r\n".encode()
            headers["Content-Type"] = f"multipart/form-data; boundary={edge}"
        link = http.client.HTTPConnection(WEB, 80, timeout=20, source_address=(self.address, 0))
        try:
            with self.day.network.inside(self.net):
                link.request(method, path, body, headers)
            return link.getresponse().read()
        except OSError:
            # nginx closes early on a body that is too large; its log is what is wanted.
            return b""
        finally:
            link.close()


def browse(day: Day, visitor: Visitor) -> Story:
    """A resident looks around, sometimes applies, uploads or searches."""
    chance, site = day.chance, f"http://{SITE}"
    start = "https://www.google.com/" if chance.random() < 0.3 else ""
    visitor.ask("/", start)
    visitor.ask("/css/app.css", f"{site}/")
    if chance.random() < 0.4:
        visitor.ask("/favicon.ico", f"{site}/")
    last = "/"
    for page in chance.sample(PAGES, chance.randrange(2, 7)):
        yield chance.uniform(4, 70)
        visitor.ask(page, site + last)
        last = page
    if chance.random() < 0.25:
        yield chance.uniform(20, 60)
        person = chance.choice(day.people)
        form = {"pemohon": person.name, "nik": person.nik, "jenis": "SIUP"}
        visitor.ask("/permohonan", f"{site}/izin")
        yield chance.uniform(60, 200)
        visitor.ask("/permohonan", f"{site}/permohonan", form=form)
        visitor.ask("/permohonan/terkirim", f"{site}/permohonan")
        yield chance.uniform(20, 90)
        kind, start_bytes = chance.choice((("pdf", b"%PDF-1.7\n"), ("jpg", b"\xff\xd8\xff\xe0")))
        size = 3_000_000 if chance.random() < 0.06 else chance.randrange(20_000, 400_000)
        name = f"scan-{chance.randrange(1000, 9999)}.{kind}"
        visitor.ask("/unggah", f"{site}/unggah", file=(name, start_bytes + bytes(size)))
    if chance.random() < 0.3:
        yield chance.uniform(10, 60)
        number = f"IZN-2026-{chance.randrange(1, 400):05d}"
        visitor.ask(f"/cek-izin?nomor={number}", f"{site}/izin")
    if chance.random() < 0.2:
        yield chance.uniform(10, 60)
        words = chance.choice(("Agus", "Wulandari", "toko bangunan", "apotek"))
        visitor.ask(f"/cari?{urlencode({'q': words})}", f"{site}/")
    if chance.random() < 0.15:
        yield chance.uniform(10, 40)
        visitor.ask("/antrean/ambil?loket=2", f"{site}/antrean/")


def crawl(day: Day) -> Story:
    """A search engine reads robots.txt and walks the pages."""
    bot = Visitor(day, CRAWLER, BOT)
    bot.ask("/robots.txt")
    bot.ask("/sitemap.xml")
    for page in ("/", *PAGES, *(f"/berita/{number}" for number in range(1, 25)), "/berita/lama"):
        yield day.chance.uniform(5, 25)
        bot.ask(page)


def monitor(day: Day) -> Story:
    """An uptime monitor asks every five minutes."""
    while True:
        Visitor(day, UPTIME, MONITOR).ask("/api/status")
        yield 300


def clerk(day: Day, address: str, account: str) -> Story:
    """An officer signs in to the application, one of them after a mistyped password."""
    me = Visitor(day, address, AGENTS[0], "office")
    me.ask("/masuk")
    yield 15
    if day.chance.random() < 0.4:
        me.ask("/masuk", form={"surel": f"{account}@izin.example", "sandi": "petgas"})
        yield 12
    me.ask("/masuk", form={"surel": f"{account}@izin.example", "sandi": account})
    for _ in range(day.chance.randrange(20, 45)):
        me.ask(day.chance.choice(("/dasbor", "/dasbor/permohonan", "/jadwal", "/izin/3")))
        yield day.chance.uniform(60, 900)


def shell_work(day: Day, who: str, source: str, commands: tuple[str, ...], target: str) -> Story:
    """A member of staff logs in by key and works for a while."""
    session = day.login(who, source, target)
    for command in commands:
        yield day.chance.uniform(10, 120)
        session.type(command, password=f"{who}-Kantor-26")
    yield day.chance.uniform(30, 300)
    session.close()


def mistyped(day: Day, who: str, source: str, right: str, wrong: int) -> Story:
    """Staff with a password miss it once or twice, then get in."""
    for _ in range(wrong):
        day.login(who, source, password="salah-ketik")
        yield 9
    session = day.login(who, source, password=right)
    yield 20
    session.type("ls -l /var/www/izin/public/unduhan")
    yield 240
    session.close()


def plan_ordinary(day: Day) -> None:
    """Fill the day with everything that must stay silent."""
    admin = ("uptime", "sudo apt-get update", "df -h", "sudo tail -n 20 /var/log/nginx/error.log")
    reload = ("sudo nginx -t", "sudo service nginx reload", "sudo service apache2 status")
    dba = ("sudo -u postgres psql -d perizinan -c 'SELECT count(*) FROM permohonan'", "uptime")
    for when in ("07:35", "13:35"):
        day.plan(at(when), shell_work(day, "rahmat", "10.61.12.101", admin, WEB))
    day.plan(at("10:35"), shell_work(day, "rahmat", "10.61.12.101", reload, WEB))
    for when in ("08:20", "11:05", "14:45"):
        day.plan(at(when), shell_work(day, "dewi", "10.61.12.102", ("git --version", "ls"), WEB))
    for when in ("08:05", "12:40", "16:10"):
        day.plan(at(when), shell_work(day, "yusuf", "10.61.12.105", dba, DB))
    day.plan(at("08:02"), mistyped(day, "operator", "10.61.12.103", "operator1", 0))
    day.plan(at("08:40"), mistyped(day, "sari", "10.61.12.104", "sari-Kantor-26", 1))
    day.plan(at("13:20"), mistyped(day, "sari", "10.61.12.104", "sari-Kantor-26", 2))
    day.plan(at("07:01"), monitor(day))
    for when in ("07:20", "12:10", "15:10"):
        day.plan(at(when), crawl(day))
    for number, address in enumerate(CLERKS):
        account = "petugas" if number % 2 else "verifikator"
        day.plan(at("07:45") + timedelta(minutes=7 * number), clerk(day, address, account))
    for _ in range(420):
        visitor = Visitor(day, day.chance.choice(RESIDENTS), day.chance.choice(AGENTS))
        minute = day.chance.triangular(5, 590, 200)
        day.plan(at("07:00") + timedelta(minutes=minute), browse(day, visitor))
