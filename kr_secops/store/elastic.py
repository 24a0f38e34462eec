"""A cluster of Elasticsearch: reached securely, set up, and asked how it stands.

    cluster = Cluster(settings.elastic)
    cluster.setup()
    ship(cluster, store)           # kr_secops.store.ship
    cluster.status(store)

Credentials come from a file or the environment, never from the command line or the address.
"""

from __future__ import annotations

import os
import re
import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Protocol, Self
from urllib.parse import urlsplit

from kr_secops.errors import ContentError, KrSecopsError
from kr_secops.language import tr
from kr_secops.store import templates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from elasticsearch import ApiError, Elasticsearch

    from kr_secops.store.sqlite import Store

API_KEY: Final = "KR_SECOPS_ELASTIC_API_KEY"
PASSWORD: Final = "KR_SECOPS_ELASTIC_PASSWORD"  # noqa: S105 - the name of a variable
SECONDS: Final = 60
"""How long one request may take."""
BUSY: Final = (429, 500, 502, 503, 504)
"""Answers after which the same may be tried again."""
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class Access(Protocol):
    """How to reach a cluster; `kr_secops.settings.Elastic` is one."""

    @property
    def url(self) -> Sequence[str]:
        """Addresses of the nodes."""
        ...

    @property
    def ca(self) -> Path | None:
        """Certificate authority of the nodes, PEM; None: those that the system trusts."""
        ...

    @property
    def api_key_file(self) -> Path | None:
        """File that holds an API key."""
        ...

    @property
    def user(self) -> str | None:
        """User name for basic authentication."""
        ...

    @property
    def password_file(self) -> Path | None:
        """File that holds the user's password."""
        ...


@dataclass(frozen=True, slots=True)
class Status:
    """How a cluster stands."""

    problem: str
    """Why it cannot be used, or nothing."""
    version: str = ""
    missing: tuple[str, ...] = ()
    """Templates that `Cluster.setup` has yet to put there."""
    events: int | None = None
    """Events on the server; None: this user may not count them."""
    findings: int | None = None
    segments_waiting: int = 0
    """Segments of the archive that it has not, or not whole."""
    events_waiting: int = 0
    refused: int = 0
    """Documents that it would not take, ever; they are in the dead-letter file."""


class Cluster:
    """A connection; nothing is sent before it is asked for something."""

    def __init__(self, access: Access, environment: Mapping[str, str] = os.environ) -> None:
        """Prepare to reach the cluster by *access*.

        Raises:
            ContentError: the settings do not say how, or would give a secret away.
        """
        from elasticsearch import Elasticsearch

        _ensure_safe(access.url)
        api_key = _secret(environment.get(API_KEY), access.api_key_file)
        password = _secret(environment.get(PASSWORD), access.password_file)
        secure = any(url.startswith("https:") for url in access.url)
        self.name = ", ".join(access.url)
        self.client: Elasticsearch = Elasticsearch(
            list(access.url),
            api_key=api_key,
            basic_auth=(access.user, password or "") if access.user and not api_key else None,
            ssl_context=_trust(access.ca) if secure else None,
            request_timeout=SECONDS,
            max_retries=0,  # retried by whoever knows what may be sent twice
        )

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def identify(self) -> tuple[str, str]:
        """Return the cluster's unique id and the server's version."""
        with self.explaining():
            information = self.client.info()
        return information["cluster_uuid"], information["version"]["number"]

    def setup(self, retention: str | None = None) -> list[str]:
        """Put the templates and the index of findings there; doing it again changes nothing.

        Args:
            retention: age at which events are deleted, ``365d``; None keeps them.

        Returns:
            The types that this server lacks and that were replaced by simpler ones.
        """
        from elasticsearch import BadRequestError

        missing: set[str] = set()
        with self.explaining():
            self.client.info()
            while True:
                try:
                    for name, body in templates.component_templates(missing).items():
                        self.client.cluster.put_component_template(name=name, **body)
                    break
                except BadRequestError as e:
                    lacking = re.search(r"(?:mapper|handler for) type \[(\w+)\]", str(e.body))
                    if not lacking or lacking[1] not in templates.FALLBACK.keys() - missing:
                        raise
                    missing.add(lacking[1])
            for name, body in templates.index_templates(retention).items():
                self.client.indices.put_index_template(name=name, **body)
            if not self.client.indices.exists(index=templates.FINDINGS):
                self.client.indices.create(index=templates.FINDINGS)
        return sorted(missing)

    def missing_templates(self) -> tuple[str, ...]:
        """Return the names of the index templates that are not there."""
        with self.explaining():
            return tuple(
                name
                for name in templates.index_templates()
                if not self.client.indices.exists_index_template(name=name)
            )

    def status(self, store: Store) -> Status:
        """Say how the cluster stands, and what of *store* it has yet to get."""
        try:
            cluster, version = self.identify()
            missing = self.missing_templates()
        except KrSecopsError as e:
            return Status(str(e), "", (), None, None, *store.waiting(None))
        return Status(
            "",
            version,
            missing,
            self._count(f"{templates.EVENTS}-*"),
            self._count(templates.FINDINGS),
            *store.waiting(cluster),
        )

    def _count(self, index: str) -> int | None:
        try:
            with self.explaining():
                count: int = self.client.count(index=index, ignore_unavailable=True)["count"]
        except KrSecopsError:
            return None
        return count

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Turn what the client raises into one sentence that names the mend."""
        import elasticsearch as client

        try:
            yield
        except client.UnsupportedProductError:
            raise KrSecopsError(tr("{url}: this is not Elasticsearch", url=self.name)) from None
        except client.ApiError as e:
            kind = BusyError if e.status_code in BUSY else KrSecopsError
            raise kind(f"{self.name}: {_explain_answer(e)}") from None
        except client.SSLError as e:
            raise KrSecopsError(
                tr(
                    "{url}: its certificate is not trusted ({problem}); name its authority in "
                    "setting elastic.ca",
                    url=self.name,
                    problem=e.message,
                )
            ) from None
        except client.TransportError as e:
            raise BusyError(
                tr("{url}: cannot be reached: {problem}", url=self.name, problem=e.message)
            ) from None


class BusyError(KrSecopsError):
    """The cluster does not answer, or asks for patience: the same may be tried again."""


def reason(error: Any) -> str:
    """Return what an answer's *error* says, from the outermost cause to the innermost."""
    reasons = []
    while isinstance(error, dict):
        reasons.append(f"{error.get('type', 'error')}: {error.get('reason', '')}")
        error = error.get("caused_by")
    if error:
        reasons.append(str(error))
    return " ".join("; ".join(reasons).split())


def _explain_answer(answer: ApiError) -> str:
    body = answer.body.get("error", answer.body) if isinstance(answer.body, dict) else answer.body
    if "media_type_header_exception" in str(body):
        client = version("elasticsearch")
        older = int(client.split(".")[0]) - 1
        return tr(
            "the server is older than the client {version}; install elasticsearch>={older},<{next}",
            version=client,
            older=older,
            next=older + 1,
        )
    match answer.status_code:
        case 401:
            return tr("refuses the credentials; see settings elastic.api_key_file and elastic.user")
        case 403:
            return tr("this user may not do that: {reason}", reason=reason(body))
    return f"{answer.status_code}: {reason(body)}"


def _ensure_safe(urls: Sequence[str]) -> None:
    if not urls:
        raise ContentError(
            [tr("elastic.url: is not set; an address such as https://es.example:9200")]
        )
    complaints = []
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            complaints.append(tr("elastic.url: {url!r} is no http(s) address", url=url))
        elif parts.username or parts.password:
            complaints.append(tr("elastic.url: holds a user or password; use elastic.user instead"))
        elif parts.scheme == "http" and parts.hostname not in LOOPBACK:
            complaints.append(
                tr(
                    "elastic.url: {url!r} would send events and secrets in clear; use https",
                    url=url,
                )
            )
    if complaints:
        raise ContentError(complaints)


def _secret(variable: str | None, path: Path | None) -> str | None:
    """Return the secret of the environment, else that of the file; no one else may read that."""
    if variable or path is None:
        return variable
    try:
        if path.stat().st_mode & 0o007:
            raise ContentError(
                [tr("{path}: anyone may read this secret; chmod o= {path}", path=path)]
            )
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as e:
        raise ContentError([tr("{path}: {problem}", path=path, problem=e)]) from None
    if not text:
        raise ContentError([tr("{path}: is empty", path=path)])
    return text


def _trust(authority: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as e:
        raise ContentError([f"elastic.ca: {authority}: {e}"]) from None
