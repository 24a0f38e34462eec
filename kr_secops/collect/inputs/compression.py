"""Plain and compressed files as one stream of bytes, told apart by their first bytes."""

from __future__ import annotations

import bz2
import codecs
import lzma
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK: Final = 1 << 20
"""Most bytes that come out at once, whatever the file claims to unpack to."""
PIECE: Final = 1 << 15
"""Compressed bytes taken in at once: so little is lost where a file is damaged."""
LARGEST_WINDOW: Final = 128 << 20
"""Memory that a zstd frame may ask for."""

MAGIC: Final = {
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class DamagedError(Exception):
    """The rest of a compressed file cannot be read; what came before it was given out."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


def compression(head: bytes) -> str | None:
    """Return the name of the compression that *head*, the first bytes of a file, shows."""
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)


def chunks(file: BinaryIO, kind: str | None) -> Iterator[bytes]:
    """Yield the content of *file*, unpacked, in chunks of at most 1 MiB.

    Raises:
        DamagedError: after everything that could be read.
    """
    if kind is None:
        while chunk := file.read(CHUNK):
            yield chunk
    elif kind == "zstd":
        yield from _zstd(file)
    elif kind == "utf-16":
        yield from _utf16(file)
    else:
        yield from _members(file, _MAKERS[kind])


def _members(file: BinaryIO, make: Callable[[], _Decompressor]) -> Iterator[bytes]:
    """Yield what the members (gzip) or streams (xz, bzip2) of *file* hold, one after the other."""
    data = file.read(PIECE)
    while data:
        decompressor = make()
        while not decompressor.eof:
            try:
                out = decompressor.decompress(data, CHUNK)
            except (zlib.error, lzma.LZMAError, OSError, EOFError, MemoryError) as e:
                raise DamagedError(str(e)) from e
            if out:
                yield out
            # zlib hands back what it did not look at; the others keep it and take nothing new.
            data = getattr(decompressor, "unconsumed_tail", b"")
            if not decompressor.eof and not data and getattr(decompressor, "needs_input", True):
                data = file.read(PIECE)
                if not data:
                    raise DamagedError("it ends in the middle")
        data = decompressor.unused_data or file.read(PIECE)
        data = data.lstrip(b"\0")  # tape and block devices pad with zeros


def _zstd(file: BinaryIO) -> Iterator[bytes]:
    import zstandard

    unpack = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
    with unpack.stream_reader(file, read_across_frames=True, closefd=False) as stream:
        while True:
            try:
                chunk = stream.read(1 << 17)
            except zstandard.ZstdError as e:
                raise DamagedError(str(e)) from e
            if not chunk:
                return
            yield chunk


def _utf16(file: BinaryIO) -> Iterator[bytes]:
    """Yield as UTF-8 what Windows PowerShell writes in two bytes a character."""
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    while chunk := file.read(CHUNK // 2):
        yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


_MAKERS: Final[dict[str, Callable[[], _Decompressor]]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "xz": lambda: lzma.LZMADecompressor(memlimit=LARGEST_WINDOW),
    "bzip2": bz2.BZ2Decompressor,
}
