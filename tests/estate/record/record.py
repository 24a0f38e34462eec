"""Record the sample estate anew: `sudo python3 tests/estate/record/record.py OUT`.

Builds a small Debian once (mmdebstrap), raises two hosts, an office and the outside world in
private namespaces, plays one office day with real daemons and real tools, and keeps their logs.
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import re
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from attacks import ATTACKS, plan_attacks, spans
from day import (
    AGENTS,
    CLERKS,
    CRAWLER,
    DATE,
    DB,
    MONITOR,
    RESIDENTS,
    UPTIME,
    WEB,
    Day,
    Visitor,
    at,
    plan_ordinary,
)
from residents import as_sql, invent, write_sheet
from stage import Clock, Host, Network, run

if TYPE_CHECKING:
    from day import Story

HERE = Path(__file__).resolve().parent
PACKAGES = (
    "openssh-server", "openssh-client", "nginx-light", "apache2", "libapache2-mod-php", "php-pgsql",
    "rsyslog", "sudo", "cron", "logrotate", "auditd", "postgresql", "dnsmasq", "tcpdump", "nmap",
    "hydra", "sqlmap", "gobuster", "iodine", "net-tools", "iproute2", "vim", "curl",
    "netcat-openbsd", "procps", "less", "tzdata",
)  # fmt: skip
STAFF = {
    "web-izin": ("rahmat", "dewi", "operator", "sari"),
    "db-izin": ("yusuf",),
}
LOGS = "var/log"
KEPT = (
    "auth.log", "auth.log.1", "syslog", "syslog.1", "cron.log", "cron.log.1", "wtmp", "btmp",
    "nginx", "apache2", "audit", "postgresql",
)  # fmt: skip
KEPT_OF_SITE = (
    "var/www/izin/storage/logs", "var/www/antrean/application/logs",
    "var/www/izin/public/slot-gacor-maxwin", "var/www/izin/public/unduhan",
)  # fmt: skip


def build_base(base: Path) -> None:
    """Make the shared root once; later recordings reuse it."""
    if (base / "etc/debian_version").exists():
        return
    names = ",".join(PACKAGES)
    run("mmdebstrap", "--variant=minbase", f"--include={names}", "bookworm", str(base))


def prepare(host: Host) -> None:
    """Remove what the building of the base left, and make this host's own identity."""
    root = host.root
    (root / "etc/localtime").unlink(missing_ok=True)
    (root / "etc/localtime").symlink_to("/usr/share/zoneinfo/Asia/Jakarta")
    (root / "etc/timezone").write_text("Asia/Jakarta\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n{WEB} web-izin\n{DB} db-izin\n")
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").write_text("nameserver 10.61.12.1\n")
    for file in (root / LOGS).rglob("*"):
        if file.is_file():
            file.unlink()
    host.run("install", "-m", "664", "-g", "utmp", "/dev/null", "/run/utmp")
    host.run("install", "-m", "664", "-g", "utmp", "/dev/null", "/var/log/wtmp")
    host.run("install", "-m", "660", "-g", "utmp", "/dev/null", "/var/log/btmp")
    (root / LOGS / "lastlog").touch()
    for folder in ("etc/cron.daily", "etc/cron.d"):
        for task in (root / folder).iterdir():
            task.unlink()
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    host.run("ssh-keygen", "-A")
    for file in (root / "etc/pam.d").iterdir():
        # The limits of the recording machine's first process cannot and need not be had.
        file.write_text(re.sub(r"(?m)^session.*pam_limits.so.*$", "", file.read_text()))


def add_staff(host: Host, office: Host) -> None:
    """Create the accounts of the people who work here, with their keys."""
    shadow = host.root / "etc/shadow"
    # The packages' accounts date from the building of the base, which may lie after the day.
    shadow.write_text(re.sub(r"(?m)^([^:]*:[^:]*):\d+:", r"\1:20699:", shadow.read_text()))
    for number, name in enumerate(STAFF[host.name]):
        uid = str(1001 + number + (100 if host.name == "db-izin" else 0))
        # Debian ships a group called operator.
        group = ("-g", "operator") if name == "operator" else ()
        host.run("useradd", "-m", "-u", uid, *group, "-s", "/bin/bash", name)
        word = "operator1" if name == "operator" else f"{name}-Kantor-26"
        host.run("sh", "-c", f"echo '{name}:{word}' | chpasswd")
        if name in ("rahmat", "yusuf"):
            host.run("usermod", "-aG", "sudo", name)
        if name in ("rahmat", "dewi", "yusuf"):
            make = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@kantor")
            office.run(*make, "-f", f"/root/{name}")
            keys = host.root / f"home/{name}/.ssh/authorized_keys"
            keys.parent.mkdir(mode=0o700)
            shutil.copyfile(office.root / f"root/{name}.pub", keys)
            host.run("chown", "-R", f"{name}:", f"/home/{name}/.ssh")


def put_common(host: Host) -> None:
    """Copy the files that both servers have."""
    own = HERE / "etc" / host.name
    host.put(own / "rsyslog.conf", "etc/rsyslog.conf")
    host.put(own / "logrotate.conf", "etc/logrotate.conf")
    host.put(own / "crontab", "etc/crontab")
    host.put(own / "cron.d/izin", "etc/cron.d/izin")


def start_common(host: Host) -> None:
    """Start the daemons that both servers have."""
    host.run("rsyslogd")
    host.run("/usr/sbin/sshd")
    host.run("cron")


def open_database(db: Host, people: str) -> None:
    """Configure PostgreSQL and fill the database of the permit service."""
    own = HERE / "etc/db-izin"
    db.run("install", "-d", "-o", "postgres", "/var/backups/perizinan")
    db.run("chown", "postgres:", "/run/postgresql", "/var/log/postgresql")
    # Made anew, so that its birth too lies in the moved time.
    db.run("pg_dropcluster", "15", "main")
    db.run("pg_createcluster", "--locale=C.UTF-8", "15", "main")
    db.put(own / "postgresql/izin.conf", "etc/postgresql/15/main/conf.d/izin.conf")
    db.put(own / "postgresql/pg_hba.conf", "etc/postgresql/15/main/pg_hba.conf")
    # This host has no audit, so its logins carry no audit identity either.
    for service in ("sshd", "cron"):
        file = db.root / "etc/pam.d" / service
        file.write_text(file.read_text().replace("session    required     pam_loginuid.so", ""))
    db.run("pg_ctlcluster", "15", "main", "start")
    (db.root / "tmp/fill.sql").write_text((own / "perizinan.sql").read_text() + people)
    db.run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", "/tmp/fill.sql", user="postgres")
    db.run("pg_ctlcluster", "15", "main", "stop")
    # The filling is not part of the day; the log begins with the start that follows.
    (db.root / "var/log/postgresql/postgresql-15-main.log").unlink()
    (db.root / "tmp/fill.sql").unlink()
    db.run("pg_ctlcluster", "15", "main", "start")


def open_web(web: Host) -> None:
    """Configure nginx, Apache with PHP and the two applications."""
    own = HERE / "etc/web-izin"
    web.put(HERE / "app/izin", "var/www/izin")
    web.put(HERE / "app/antrean", "var/www/antrean")
    for folder in ("izin/storage/logs", "izin/public/uploads", "antrean/application/logs"):
        (web.root / "var/www" / folder).mkdir(parents=True, exist_ok=True)
    web.run("chown", "-R", "www-data:", "/var/www")
    web.put(own / "nginx/site.conf", "etc/nginx/sites-available/default")
    web.put(own / "apache2/site.conf", "etc/apache2/sites-available/000-default.conf")
    (web.root / "etc/apache2/ports.conf").write_text("Listen 127.0.0.1:8080\n")
    web.put(own / "php/izin.ini", "etc/php/8.2/apache2/conf.d/90-izin.ini")
    web.put(own / "php/izin.ini", "etc/php/8.2/cli/conf.d/90-izin.ini")
    web.put(own / "sudoers.d/operator", "etc/sudoers.d/operator", 0o440)
    web.run("a2enmod", "-q", "remoteip", "rewrite")
    web.run("nginx")
    web.run("apache2ctl", "start")


def open_audit(web: Host) -> bool:
    """Start auditd where the kernel lets us; say whether it runs."""
    web.put(HERE / "etc/web-izin/audit/izin.rules", "etc/audit/rules.d/izin.rules")
    try:
        web.run("auditd")
        web.run("auditctl", "-R", "/etc/audit/rules.d/izin.rules")
    except RuntimeError as reason:
        sys.stderr.write(f"recorded without auditd: {reason}\n")
        return False
    return True


def close_audit(web: Host) -> None:
    """Leave the kernel's audit as it was found: no rules, not enabled."""
    web.run("auditctl", "-D", check=False)
    web.run("auditctl", "-e", "0", check=False)


def yesterday(day: Day) -> Story:
    """Half an hour of Monday, so that there is something to rotate."""
    for number in range(25):
        visitor = Visitor(day, RESIDENTS[number], AGENTS[number % len(AGENTS)])
        visitor.ask("/")
        visitor.ask("/favicon.ico")
        yield 60


def note_date(day: Day) -> Story:
    """A first run of logrotate only notes the date; the rotation comes with tomorrow's cron."""
    for host in (day.web, day.db):
        host.run("logrotate", "/etc/logrotate.conf")
        yield 1


def raise_stage(room: Path, base: Path, clock: Clock, audit: bool) -> Day:
    """Raise the network and its four hosts."""
    library = room / "wallclock.so"
    run("gcc", "-O2", "-Wall", "-shared", "-fPIC", "-o", str(library), str(HERE / "wallclock.c"))
    network = Network()
    hosts = {}
    for number, name in enumerate(("web", "db", "office", "outside", "resolver"), 10):
        inside = "gw" if name == "resolver" else name
        if name != "resolver":
            network.add(inside)
        if name == "outside":
            far = [*RESIDENTS, *(source for attack in ATTACKS for source in attack.sources)]
            far += [CRAWLER, UPTIME, "203.0.113.53"]
            network.join_outside(name, number, sorted(set(far) - {WEB}))
        elif name != "resolver":
            staff = [f"10.61.12.{number}" for number in range(101, 106)]
            own = {"web": [WEB], "db": [DB], "office": [*staff, *CLERKS]}
            network.join_lan(name, number, own[name])
        title = {"web": "web-izin", "db": "db-izin"}.get(name, name)
        hosts[name] = Host(title, inside, base, room / name, moved_clock=name in ("web", "db"))
        hosts[name].raise_up(clock, library, audit=audit and name == "web")
    people = invent(1200, random.Random(6112))
    servers, clients = (hosts["web"], hosts["db"]), (hosts["office"], hosts["outside"])
    return Day(clock, network, *servers, *clients, hosts["resolver"], people)


def open_everything(day: Day) -> None:
    """Put files in place and start every daemon, Monday at half past four."""
    for host in (day.web, day.db):
        prepare(host)
        put_common(host)
        add_staff(host, day.office)
    for client in (day.office, day.outside):
        prepare(client)
        (client.root / "usr/lib/answer").write_text('#!/bin/sh\necho "$LOGIN_PASSWORD"\n')
        (client.root / "usr/lib/answer").chmod(0o755)
    for name in ("passwords.txt", "paths.txt"):
        day.outside.put(HERE / "lists" / name, f"root/{name}")
    names = ("/izin.contoh-kab.example/10.61.12.10", "/contoh-kab.example/10.61.12.30")
    words = ["--keep-in-foreground", "--no-resolv", "--no-hosts", "--user=root"]
    words += ["--listen-address=10.61.12.1", "--bind-interfaces", "--conf-file=/dev/null"]
    words += [f"--address={name}" for name in names]
    day.resolver.start("dnsmasq", *words, "--server=/update-cdn.example/203.0.113.53")
    open_database(day.db, as_sql(day.people))
    start_common(day.db)
    start_common(day.web)
    open_web(day.web)
    sheet = day.web.root / "var/www/izin/public/unduhan/data-penduduk-2026.xlsx"
    write_sheet(sheet, day.people[:400])


def keep(day: Day, out: Path) -> None:
    """Copy what the daemons wrote, and nothing else."""
    for host in (day.web, day.db):
        for name in (*(f"{LOGS}/{name}" for name in KEPT), *KEPT_OF_SITE):
            source, target = host.root / name, out / host.name / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            elif source.exists():
                shutil.copyfile(source, target)
    (out / "network").mkdir()
    for capture in sorted((day.web.root / "root").glob("*.pcap")):
        packed = gzip.compress(capture.read_bytes(), mtime=0)
        (out / "network" / f"{capture.name}.gz").write_bytes(packed)
    tidy(out)


def tidy(out: Path) -> None:
    """Remove what is empty and level the modes, which differ between daemons."""
    for file in sorted(out.rglob("*"), reverse=True):
        if file.is_dir():
            if not any(file.iterdir()):
                file.rmdir()
        elif file.stat().st_size:
            file.chmod(0o644)
        else:
            file.unlink()


def write_truth(out: Path) -> None:
    """Say what happened when, for those who look for it."""
    lines = ["# What happened in the recorded day; written by record/record.py.", "attacks:"]
    when = spans()
    for attack in sorted((a for a in ATTACKS if a.id in when), key=lambda a: when[a.id]):
        first, last = (moment.isoformat(timespec="seconds") for moment in when[attack.id])
        present = [name for name in attack.files if (out / attack.host / name).exists()]
        lines += [f"  - id: {attack.id}", "    title:", f"      en: {attack.title_en}"]
        lines += [f"      id: {attack.title_id}", f"    host: {attack.host}", "    files:"]
        lines += [f"      - {name}" for name in present]
        lines += [f"    from: '{first}'", f"    to: '{last}'", "    source.ip:"]
        lines += [f"      - {address}" for address in attack.sources]
        lines += [f"    user.name: {attack.user}"] if attack.user else []
        lines += ["    evidence:"] if attack.evidence else ["    evidence: []"]
        lines += [f"      - '{text.replace(chr(39), 2 * chr(39))}'" for text in attack.evidence]
    addresses = [f"10.61.12.{number}" for number in range(101, 106)]
    addresses += [*CLERKS, CRAWLER, UPTIME, *RESIDENTS]
    lines += ["ordinary:", "  source.ip:", *(f"    - {address}" for address in addresses)]
    lines += ["  user.name:", *(f"    - {name}" for name in ("rahmat", "dewi", "sari", "yusuf"))]
    lines += ["  user_agent.original:", f"    - {MONITOR}"]
    (out / "truth.yml").write_text("\n".join(lines) + "\n")


def versions(host: Host) -> str:
    """The versions of everything that wrote or attacked, for the README."""
    form = "${Package} ${Version}\n"
    return host.run("dpkg-query", "-W", "-f", form, *PACKAGES, check=False)


def record(out: Path, base: Path, room: Path, hours: float) -> None:
    """Play the day from end to end."""
    build_base(base)
    room.mkdir(parents=True, exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", "size=4g", "tmpfs", str(room))
    clock = Clock(DATE - timedelta(days=1) + timedelta(hours=16, minutes=30))
    day = raise_stage(room, base, clock, audit=True)
    try:
        open_everything(day)
        audited = open_audit(day.web)
        day.plan(clock.now(), yesterday(day))
        day.plan(clock.now() + timedelta(minutes=20), note_date(day))
        day.play(DATE - timedelta(days=1) + timedelta(hours=17))
        clock.jump(at("06:24"))
        time.sleep(0.5)
        plan_ordinary(day)
        plan_attacks(day)
        day.play(at("07:00") + timedelta(hours=hours))
        sys.stderr.write(f"{versions(day.web)}auditd recorded: {audited}\n")
        out.mkdir(parents=True)
        keep(day, out)
        write_truth(out)
    finally:
        close_audit(day.web)
        for host in (day.outside, day.office, day.resolver, day.web, day.db):
            host.stop()


def main() -> None:
    """Read the command line and enter the private mount namespace."""
    parser = argparse.ArgumentParser(description="Record the sample estate anew.")
    parser.add_argument("out", type=Path, help="folder to make")
    parser.add_argument("--base", type=Path, default=Path("/var/tmp/kr-estate/base"))
    parser.add_argument("--hours", type=float, default=10.0, help="length of the day, for trials")
    options = parser.parse_args()
    if os.environ.get("KR_ESTATE_STAGE") != "1":
        command = ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv]
        environment = {**os.environ, "KR_ESTATE_STAGE": "1"}
        sys.exit(subprocess.call(command, env=environment))
    record(options.out.resolve(), options.base, options.base.parent / "room", options.hours)


if __name__ == "__main__":
    main()
