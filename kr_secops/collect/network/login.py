"""Logins in the clear over protocols of lines: FTP, SMTP, POP3, IMAP, Telnet. Who, never with what."""

# ruff: noqa: PLR2004  # status codes and lengths are those of the protocol

from __future__ import annotations

import base64
import binascii
import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final

from kr_secops.collect.network.dialogue import Lines, credentials, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kr_secops.collect.network.dialogue import Dialogue, Fact

_FTP_FIRST = re.compile(rb"(?i)(?:USER|AUTH|FEAT|SYST|OPTS|HOST|CLNT)\b")
_SMTP_FIRST = re.compile(rb"(?i)(?:EHLO|HELO|LHLO|MAIL FROM)\b")
_IMAP = re.compile(rb"([!-~]{1,32}) +([A-Za-z]+)(?: +(.*))?$", re.DOTALL)
_IMAP_USER = re.compile(rb'(?:"((?:[^"\\]|\\.)*)"|([^\s"{]+)) +["{\S]')
_LITERAL = re.compile(rb"\{(\d{1,9})\+?\}$")
_PROMPT_USER = re.compile(rb"(?i)(?:login|user ?name|user)\s*:\s*$")
_PROMPT_SECRET = re.compile(rb"(?i)(?:password|sandi)[^\n]{0,40}:\s*$")
_NEGOTIATION = re.compile(rb"\xff(?:\xfa.*?\xff\xf0|[\xfb-\xfe].|[\xf0-\xf9])", re.DOTALL)


def recognise(client: bytes, server: bytes) -> Dialogue | None:
    """Return the listener for a connection that begins so; None as long as that is not certain."""
    if server.startswith((b"220 ", b"220-")):
        if _SMTP_FIRST.match(client) or b"ESMTP" in server.partition(b"\n")[0]:
            return Smtp()
        return Ftp() if _FTP_FIRST.match(client) else None
    if server.startswith(b"+OK"):
        return Pop3()
    if server.startswith((b"* OK", b"* PREAUTH")):
        return Imap()
    if client.startswith(b"\xff") or server.startswith(b"\xff"):
        is_option = len(client or server) > 2 and (client or server)[1] >= 0xFA
        return Telnet() if is_option else None
    return None


class _Login(ABC):
    """What the protocols have in common: who tries, and what the server makes of it."""

    service: ClassVar[str]

    def __init__(self) -> None:
        self.done = self.upgraded = False
        self._lines = {True: Lines(), False: Lines()}
        self._user: str | None = None
        self._tried: tuple[str, str | None, int] | None = None
        """Mechanism, user and time of a login that the server has not answered."""
        self._asked_tls = False

    def read(self, client: bool, data: bytes, time: int) -> Iterator[Fact]:
        """Take bytes of one side."""
        for line in self._lines[client].add(data):
            if client:
                yield from self._command(line, time)
            else:
                yield from self._reply(line)

    def lose(self, client: bool, count: int) -> None:
        """Begin a new line."""
        self._lines[client] = Lines()

    def close(self) -> Iterator[Fact]:
        """Yield the login that was not answered."""
        return self._answer("unknown")

    def _try(self, mechanism: str, user: str | None, time: int) -> Iterator[Fact]:
        yield from self._answer("unknown")
        self._tried = (mechanism, user, time)

    def _answer(self, outcome: str) -> Iterator[Fact]:
        if self._tried:
            mechanism, user, time = self._tried
            self._tried = None
            yield credentials(self.service, mechanism, user, outcome, time)

    @abstractmethod
    def _command(self, line: bytes, time: int) -> Iterator[Fact]:
        """Yield what a line of the client says."""

    @abstractmethod
    def _reply(self, line: bytes) -> Iterator[Fact]:
        """Yield what a line of the server says."""


class Ftp(_Login):
    """USER, PASS, and a number for an answer."""

    service = "ftp"

    def _command(self, line: bytes, time: int) -> Iterator[Fact]:
        verb, _, rest = line.partition(b" ")
        verb = verb.upper()
        if verb == b"USER":
            self._user = text(rest.strip())
        elif verb == b"PASS":
            yield from self._try("pass", self._user, time)
        elif verb == b"AUTH":
            self._user = None

    def _reply(self, line: bytes) -> Iterator[Fact]:
        if line.startswith(b"234"):
            self.done = self.upgraded = True
        elif line[:3] in (b"230", b"232"):
            yield from self._answer("success")
        elif line[:1] in (b"4", b"5"):
            yield from self._answer("failure")


class _Sasl(_Login):
    """SASL PLAIN and LOGIN (RFC 4616 and a draft that everybody implements)."""

    def __init__(self) -> None:
        super().__init__()
        self._mechanism = b""
        """The mechanism whose next line of the client is not a command."""
        self._step = 0

    def _authenticate(self, words: bytes, time: int) -> Iterator[Fact]:
        mechanism, _, initial = words.strip().partition(b" ")
        self._mechanism, self._step = mechanism.upper(), 0
        if self._mechanism not in (b"PLAIN", b"LOGIN"):
            self._mechanism = b""  # the others do not send the password itself
        elif initial.strip() not in (b"", b"="):
            yield from self._continue(initial.strip(), time)

    def _continue(self, line: bytes, time: int) -> Iterator[Fact]:
        self._step += 1
        mechanism = self._mechanism
        if line == b"*":
            self._mechanism = b""
        elif mechanism == b"PLAIN":
            self._mechanism = b""
            parts = _decoded(line).split(b"\0")
            user = text(parts[1] or parts[0]) if len(parts) == 3 else None
            yield from self._try("plain", user, time)
        elif self._step == 1:
            self._user = text(_decoded(line)) or None
        else:
            self._mechanism = b""
            yield from self._try("login", self._user, time)


class Smtp(_Sasl):
    """AUTH, and a number for an answer; mail itself is passed over."""

    service = "smtp"

    def __init__(self) -> None:
        super().__init__()
        self._in_mail = self._asked_data = False

    def _command(self, line: bytes, time: int) -> Iterator[Fact]:
        if self._in_mail:
            self._in_mail = line != b"."
            return
        if self._mechanism:
            yield from self._continue(line, time)
            return
        verb, _, rest = line.partition(b" ")
        self._asked_data = verb.upper() == b"DATA"
        if verb.upper() == b"AUTH":
            yield from self._authenticate(rest, time)
        self._asked_tls = verb.upper() == b"STARTTLS"

    def _reply(self, line: bytes) -> Iterator[Fact]:
        if line.startswith(b"220") and self._asked_tls:
            self.done = self.upgraded = True
        elif line.startswith(b"354") and self._asked_data:
            self._in_mail = True
        elif line.startswith(b"235"):
            yield from self._answer("success")
        elif line[:1] in (b"4", b"5"):
            self._mechanism = b""
            yield from self._answer("failure")


class Pop3(_Sasl):
    """USER, PASS or AUTH, and +OK or -ERR."""

    service = "pop3"

    def _command(self, line: bytes, time: int) -> Iterator[Fact]:
        if self._mechanism:
            yield from self._continue(line, time)
            return
        verb, _, rest = line.partition(b" ")
        verb = verb.upper()
        if verb == b"USER":
            self._user = text(rest.strip())
        elif verb == b"PASS":
            yield from self._try("pass", self._user, time)
        elif verb == b"AUTH":
            yield from self._authenticate(rest, time)
        self._asked_tls = verb == b"STLS"

    def _reply(self, line: bytes) -> Iterator[Fact]:
        if line.startswith(b"+OK") and self._asked_tls:
            self.done = self.upgraded = True
        elif line.startswith(b"+OK"):
            yield from self._answer("success")
        elif line.startswith(b"-ERR"):
            self._mechanism = b""
            yield from self._answer("failure")


class Imap(_Sasl):
    """LOGIN or AUTHENTICATE behind a tag, and the same tag with OK or NO."""

    service = "imap"

    def __init__(self) -> None:
        super().__init__()
        self._tag = b""
        self._left = 0
        """Bytes of a literal, such as a mail being stored, still to be passed over."""
        self._begun = b""
        """A LOGIN whose user name comes as a literal."""

    def _command(self, line: bytes, time: int) -> Iterator[Fact]:
        if self._left > 0:
            self._left -= len(line) + 2
            return
        if self._mechanism:
            yield from self._continue(line, time)
            return
        if self._begun:
            # A literal: the line is the user name, and what follows it on the same line the rest.
            user, self._begun = line, b""
            yield from self._try("login", text(user.split(b" ")[0]), time)
            return
        found = _IMAP.match(line)
        if found is None:
            return
        tag, verb, rest = found[1], found[2].upper(), found[3] or b""
        if verb == b"LOGIN":
            self._tag = tag
            if _LITERAL.match(rest):
                self._begun = rest
                return
            name = _IMAP_USER.match(rest)
            yield from self._try("login", text(name[1] or name[2] or b"") if name else None, time)
        elif verb == b"AUTHENTICATE":
            self._tag = tag
            yield from self._authenticate(rest, time)
        elif verb == b"STARTTLS":
            self._tag, self._asked_tls = tag, True
        elif literal := _LITERAL.search(rest):
            self._left = int(literal[1])

    def _reply(self, line: bytes) -> Iterator[Fact]:
        tag, _, rest = line.partition(b" ")
        if self._asked_tls and tag == self._tag:
            self.done = self.upgraded = rest[:2].upper() == b"OK"
            self._asked_tls = False
        elif self._tag and tag == self._tag:
            self._mechanism = self._begun = b""
            yield from self._answer("success" if rest[:2].upper() == b"OK" else "failure")


class Telnet:
    """Prompts of the server, and what is typed behind them, key by key."""

    service = "telnet"
    TYPED: Final = 256

    def __init__(self) -> None:
        self.done = self.upgraded = False
        self._said = b""
        """The end of what the server wrote."""
        self._typed = b""
        self._asked = ""
        self._user: str | None = None

    def read(self, client: bool, data: bytes, time: int) -> Iterator[Fact]:
        """Take bytes of one side."""
        data = _NEGOTIATION.sub(b"", data)
        if not client:
            self._said = (self._said + data)[-self.TYPED :]
            if _PROMPT_SECRET.search(self._said):
                self._asked = "password"
            elif _PROMPT_USER.search(self._said):
                self._asked = "user"
            return
        for line in (self._typed + data).splitlines(keepends=True):
            if not line.endswith((b"\r", b"\n")):
                self._typed = line[-self.TYPED :]
                return
            yield from self._entered(line.strip(b"\r\n\0"), time)
        self._typed = b""

    def lose(self, client: bool, count: int) -> None:
        """Ignore it: prompts come again."""

    def close(self) -> Iterator[Fact]:
        """Yield nothing: a password was typed or was not."""
        return iter(())

    def _entered(self, line: bytes, time: int) -> Iterator[Fact]:
        asked, self._asked, self._said = self._asked, "", b""
        if asked == "user" and line:
            self._user = text(line)
        elif asked == "password" and line:
            yield credentials(self.service, "prompt", self._user, "unknown", time)


def _decoded(line: bytes) -> bytes:
    try:
        return base64.b64decode(line + b"==")
    except (binascii.Error, ValueError):
        return b""
