"""HTTP/1 in the clear: one fact a request, with its answer; passwords are seen, never kept."""

# ruff: noqa: PLR2004  # status codes and lengths are those of the protocol

from __future__ import annotations

import base64
import binascii
import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from kr_secops.collect.network.dialogue import Fact, credentials, text
from kr_secops.collect.network.framing import Framing, Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kr_secops.event import Event

FORM_LIMIT: Final = 4 << 10
PENDING: Final = 64
"""Requests without answer in one connection; more are pipelined by nobody honest."""
BODILESS: Final = frozenset({204, 304})
SWITCHING: Final = 101
REFUSED: Final = frozenset({401, 403, 407})
METHODS: Final = frozenset(
    b"GET POST HEAD PUT DELETE OPTIONS CONNECT PATCH TRACE PROPFIND PROPPATCH MKCOL COPY MOVE LOCK "
    b"UNLOCK REPORT SEARCH MERGE CHECKOUT MKACTIVITY PURGE VERSION-CONTROL".split()
)

_REQUEST = re.compile(rb"([!-~]{1,40}) +(\S.*?)(?: +HTTP/(\d{1,2}\.\d{1,2}))? *$", re.DOTALL)
_STATUS = re.compile(rb"HTTP/(\d{1,2}\.\d{1,2}) +(\d{3})(?!\d)", re.IGNORECASE)
_USERINFO = re.compile(r"^([a-z][a-z0-9+.-]*://)[^/?#@]*@", re.IGNORECASE)
_AUTHORITY = re.compile(r"^[a-z][a-z0-9+.-]*://([^/?#]*)", re.IGNORECASE)
# Not compass, not bypass.
_WORD = r"[\w.%\[-]*(?:(?<!com)(?<!by)pass(?:word|wd|wort|phrase)?|pwd|sandi)(?:%5d|\])?="
_IN_QUERY = re.compile(rf"((?:^|(?<=[?&;])){_WORD})([^&#;\s]+)", re.IGNORECASE)
_IN_FORM = re.compile(rf"(?:^|&){_WORD}[^&\s]".encode(), re.IGNORECASE)
_USER = re.compile(
    rb"(?:^|[?&])(?:user(?:_?name|_?id)?|login|log|e-?mail|nip|nama_?pengguna)=([^&#\s]{1,128})",
    re.IGNORECASE,
)


def begins(client: bytes, server: bytes = b"") -> bool:
    """Return whether a connection that begins so is HTTP; a broken request is known by its answer."""
    if server[:7].upper() == b"HTTP/1.":
        return True
    method, _, rest = client.partition(b" ")
    return bool(rest) and (method.upper() in METHODS or b" HTTP/1." in rest[:2048])


@dataclass(slots=True)
class _Exchange:
    """One request and what answers it."""

    time: int
    end: int
    fields: Event
    asked: int = 0
    """Bytes of the request's body."""
    answered: int = 0
    form: bytearray | None = None
    """The beginning of a form, only to see whether a password is in it."""
    credentials: list[tuple[str, str | None]] = field(default_factory=list)
    """Mechanism and user of each login that the request tried."""

    def facts(self) -> Iterator[Fact]:
        fields = self.fields
        status = fields.get("http.response.status_code")
        fields["http.request.body.bytes"] = self.asked
        if status is not None:
            fields["http.response.body.bytes"] = self.answered
            fields["event.outcome"] = "success" if status < 400 else "failure"
        method = fields.get("http.request.method", "-")
        message = f"{method} {fields.get('url.original', '-')} {status or '-'}"
        yield Fact("http", self.time, fields, message, self.end)
        if self.form and _IN_FORM.search(self.form):
            self.credentials.append(("form", _user(bytes(self.form))))
        for mechanism, user in self.credentials:
            outcome = "unknown" if status is None else "failure" if status in REFUSED else "success"
            # A form is answered with 200 or 302 whether or not the password was right.
            outcome = "unknown" if mechanism in ("form", "query") else outcome
            yield credentials("http", mechanism, user, outcome, self.time)


class Http:
    """Listens to one connection."""

    service = "http"

    def __init__(self) -> None:
        self.done = self.upgraded = False
        self._client = Framing()
        self._server = Framing()
        self._waiting: deque[_Exchange] = deque()
        """Requests not yet answered, oldest first; the last may have its body still to come."""
        self._asking: _Exchange | None = None
        self._answering: _Exchange | None = None

    def read(self, client: bool, data: bytes, time: int) -> Iterator[Fact]:
        """Take bytes of one side."""
        side = self._client if client else self._server
        for part, piece in side.pieces(data):
            if part is Part.head and client:
                yield from self._request(piece, time)
            elif part is Part.head:
                yield from self._response(piece, time)
            elif client:
                self._count_request(part, piece, time)
            else:
                yield from self._count_response(part, piece, time)
            if self.done:
                return

    def lose(self, client: bool, count: int) -> None:
        """Take missing bytes off the body they lie in, or wait for the next head."""
        in_body = (self._client if client else self._server).lose(count)
        exchange = self._asking if client else self._answering
        if exchange and in_body and client:
            exchange.asked += count
        elif exchange and in_body:
            exchange.answered += count

    def close(self) -> Iterator[Fact]:
        """Yield the requests that had no answer, or half of one."""
        if rest := self._client.rest():
            yield from self._request(rest, self._waiting[-1].time if self._waiting else 0)
        if self._answering:
            yield from self._answering.facts()
        for exchange in self._waiting:
            yield from exchange.facts()
        self._answering = None
        self._waiting.clear()

    def _request(self, head: bytes, time: int) -> Iterator[Fact]:
        first, headers = parse_head(head)
        line = _REQUEST.match(first)
        if line is None or not (line[3] or line[1].upper() in METHODS):
            self._client.lose(0)
            return
        exchange = _Exchange(time, time, _request_fields(line, headers))
        exchange.credentials += _sent_credentials(line[2], headers)
        self._waiting.append(exchange)
        if len(self._waiting) > PENDING:
            yield from self._waiting.popleft().facts()
        self._asking = exchange
        if headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded"):
            exchange.form = bytearray()
        chunked = b"chunked" in headers.get(b"transfer-encoding", b"").lower()
        self._client.expect(_length(headers) or 0, chunked=chunked)

    def _count_request(self, part: Part, piece: bytes, time: int) -> None:
        if self._asking is None:
            return
        self._asking.end = time
        self._asking.asked += len(piece)
        if self._asking.form is not None and len(self._asking.form) < FORM_LIMIT:
            self._asking.form += piece[:FORM_LIMIT]
        if part is Part.end:
            self._asking = None

    def _response(self, head: bytes, time: int) -> Iterator[Fact]:
        first, headers = parse_head(head)
        line = _STATUS.match(first)
        if line is None:
            self._server.lose(0)
            return
        status = int(line[2])
        if 100 <= status < 200 and status != SWITCHING:
            return
        # The request may not have been captured.
        exchange = self._waiting.popleft() if self._waiting else _Exchange(time, time, {})
        exchange.end = time
        fields = exchange.fields
        fields["http.response.status_code"] = status
        fields["http.version"] = text(line[1])  # the version in force is the server's
        if kind := headers.get(b"content-type"):
            fields["kr.network.http.content_type"] = text(kind)
        method = fields.get("http.request.method")
        if status == SWITCHING or (method == "CONNECT" and status < 300):
            self.done = self.upgraded = True
            yield from exchange.facts()
            return
        chunked = b"chunked" in headers.get(b"transfer-encoding", b"").lower()
        length = 0 if method == "HEAD" or status in BODILESS else _length(headers)
        chunked = chunked and length != 0
        self._server.expect(length, chunked=chunked)
        self._answering = exchange
        if length == 0 and not chunked:
            yield from self._count_response(Part.end, b"", time)

    def _count_response(self, part: Part, piece: bytes, time: int) -> Iterator[Fact]:
        if self._answering is None:
            return
        self._answering.end = time
        self._answering.answered += len(piece)
        if part is Part.end:
            exchange, self._answering = self._answering, None
            yield from exchange.facts()


def parse_head(head: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """Return the first line and the headers, names in lower case, the last of each name."""
    first, *lines = head.split(b"\n")
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return first.rstrip(b"\r"), headers


def without_secrets(url: str) -> str:
    """Return *url* without the password of its authority, and with those of its query as ``***``."""
    return _IN_QUERY.sub(r"\1***", _USERINFO.sub(r"\1", url))


def _request_fields(line: re.Match[bytes], headers: Mapping[bytes, bytes]) -> Event:
    url = without_secrets(text(line[2]))
    fields: Event = {"http.request.method": text(line[1]), "url.original": url}
    authority = _AUTHORITY.match(url)
    target = url[authority.end() :] if authority else url
    path, mark, query = target.partition("#")[0].partition("?")
    if authority or target.startswith("/"):
        fields["url.path"] = path or "/"
        if mark:
            fields["url.query"] = query
    host = text(headers.get(b"host", b"")) or (authority[1] if authority else "")
    domain, port = _split_port(host)
    if domain:
        fields["url.domain"] = domain
    if port:
        fields["url.port"] = port
    if line[3]:
        fields["http.version"] = text(line[3])
    if referrer := headers.get(b"referer"):
        fields["http.request.referrer"] = without_secrets(text(referrer))
    if agent := headers.get(b"user-agent"):
        fields["user_agent.original"] = text(agent)
    return fields


def _split_port(host: str) -> tuple[str, int | None]:
    name, colon, port = host.rpartition(":")
    if colon and port.isascii() and port.isdigit() and not name.endswith(":"):
        return name.strip("[]"), int(port) if int(port) < 65536 else None
    return host.strip("[]"), None


def _length(headers: Mapping[bytes, bytes]) -> int | None:
    length = headers.get(b"content-length", b"")
    return int(length) if length.isdigit() and len(length) < 19 else None


def _sent_credentials(url: bytes, headers: Mapping[bytes, bytes]) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    for name in (b"authorization", b"proxy-authorization"):
        scheme, _, token = headers.get(name, b"").partition(b" ")
        if scheme.lower() == b"basic":
            found.append(("basic", _basic_user(token)))
    if _IN_QUERY.search(text(url)):
        found.append(("query", _user(url)))
    return found


def _basic_user(token: bytes) -> str | None:
    try:
        decoded = base64.b64decode(token.strip() + b"==")
    except (binascii.Error, ValueError):
        return None
    user, colon, _ = decoded.partition(b":")
    return text(user) if colon else None


def _user(form: bytes) -> str | None:
    found = _USER.search(form)
    return unquote_plus(text(found[1])) if found else None
