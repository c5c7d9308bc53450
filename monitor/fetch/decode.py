"""Bounded decompression of a body: gzip, deflate, br, zstd, one inside another, never more than asked for.

Pieces of 64 KiB come out of every decompressor, and each piece is counted before the next is made. Called by
`fetch.client` with the raw pieces of the wire; it never sees the network.
"""

from __future__ import annotations

import io
import zlib
from typing import Protocol

import brotli
import zstandard

from monitor.fetch.limits import Limits
from monitor.schedule.reasons import FailReason

_PIECE = 64 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_LARGEST_WINDOW = 8 * 1024 * 1024
"""Of zstd: what RFC 8878 section 7.2 asks a receiver to support."""
ACCEPT_ENCODING = "gzip, deflate, br, zstd"
_DEEPEST = 2


class BodyRefused(Exception):
    """A body that is too large, a bomb, damaged, cut, or in an unknown encoding."""

    def __init__(self, reason: FailReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Sink(Protocol):
    """Something that takes pieces of a body."""

    def write(self, data: bytes) -> int:
        """Take one piece."""
        ...

    def finish(self) -> None:
        """Say that nothing follows. Errors: BodyRefused when something should."""
        ...


class Body:
    """A body being received: `write` raw pieces, then `finish`, then `read`.

    Errors: BodyRefused from `write` and `finish`.
    """

    def __init__(self, encodings: str, limits: Limits, body_bytes: int | None = None) -> None:
        self._count = _Counter(limits, body_bytes or limits.body_bytes)
        self._store = _Store(self._count)
        self._first = _chain(encodings, _Sniff(self._store, self._count), self._count)

    def write(self, data: bytes) -> None:
        """Take one piece as it came over the wire."""
        self._count.take(len(data))
        self._first.write(data)

    def finish(self) -> None:
        """Check that no layer waits for more."""
        self._first.finish()

    def read(self) -> bytes:
        """Return the decoded body."""
        return self._store.body.getvalue()

    @property
    def wire_bytes(self) -> int:
        """How much came over the wire."""
        return self._count.wire


class _Counter:
    def __init__(self, limits: Limits, body_bytes: int) -> None:
        self._limits = limits
        self._body_bytes = body_bytes
        self.wire = 0

    def take(self, n: int) -> None:
        self.wire += n
        if self.wire > self._limits.wire_bytes:
            raise BodyRefused(FailReason.TOO_LARGE, f"more than {self._limits.wire_bytes:,} bytes on the wire")

    def made(self, total: int) -> None:
        """Check how much one layer has given so far."""
        if total > self._limits.bomb_from_bytes and total > self._limits.bomb_ratio * self.wire:
            raise BodyRefused(
                FailReason.BOMB, f"{self.wire:,} bytes inflate to more than {self._limits.bomb_ratio} times their size"
            )
        if total > self._body_bytes:
            raise BodyRefused(FailReason.TOO_LARGE, f"more than {self._body_bytes:,} bytes when decompressed")


class _Store:
    """The end of the chain. BytesIO hands its bytes over without a second copy."""

    def __init__(self, count: _Counter) -> None:
        self.body = io.BytesIO()
        self._count = count

    def write(self, data: bytes) -> int:
        self._count.made(self.body.tell() + len(data))
        return self.body.write(data)

    def finish(self) -> None:
        """Nothing can be missing here."""


class _Layer:
    """One decompressor in front of another sink; counts what it gives."""

    def __init__(self, to: Sink, count: _Counter) -> None:
        self._to = to
        self._count = count
        self._made = 0

    def _give(self, data: bytes) -> None:
        if data:
            self._made += len(data)
            self._count.made(self._made)
            self._to.write(data)


class _Sniff(_Layer):
    """Undo one more gzip when the decoded bytes are gzip: doubly compressed, or a .gz served as it is."""

    def __init__(self, to: Sink, count: _Counter) -> None:
        super().__init__(to, count)
        self._head = b""
        self._chosen: Sink | None = None

    def write(self, data: bytes) -> int:
        if self._chosen is None:
            self._head += data
            if len(self._head) < len(_GZIP_MAGIC):
                return len(data)
            self._choose()
        else:
            self._chosen.write(data)
        return len(data)

    def _choose(self) -> None:
        self._chosen = _Gzip(self._to, self._count) if self._head.startswith(_GZIP_MAGIC) else self._to
        self._chosen.write(self._head)

    def finish(self) -> None:
        if self._chosen is None:
            self._chosen = self._to
            self._chosen.write(self._head)
        self._chosen.finish()


class _Zlib(_Layer):
    """Inflate in bounded pieces; `_restart` says what follows the end of a stream."""

    def __init__(self, to: Sink, count: _Counter, bits: int) -> None:
        super().__init__(to, count)
        self._bits = bits
        self._stream = zlib.decompressobj(bits)
        self._begun = False
        self._tail = b""

    def write(self, data: bytes) -> int:
        left, self._tail = self._tail + data, b""
        try:
            while left:
                if self._stream.eof:
                    if self._bits < zlib.MAX_WBITS or not left.startswith(_GZIP_MAGIC[: len(left)]):
                        break  # rubbish behind the end
                    if len(left) < len(_GZIP_MAGIC):
                        self._tail = left
                        break
                    self._stream = zlib.decompressobj(self._bits)  # a further member
                self._give(self._stream.decompress(left, _PIECE))
                left = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
        except zlib.error as exc:
            raise BodyRefused(FailReason.UNDECODABLE, f"damaged compression: {exc}") from exc
        self._begun = True
        return len(data)

    def finish(self) -> None:
        # All input was consumed, but up to a window of output may still wait inside.
        while not self._stream.eof:
            piece = self._stream.decompress(b"", _PIECE)
            if not piece:
                break
            self._give(piece)
        if self._begun and not self._stream.eof:
            raise BodyRefused(FailReason.SHORT_BODY, "the compressed body ends in the middle")
        self._to.finish()


class _Gzip(_Zlib):
    def __init__(self, to: Sink, count: _Counter) -> None:
        super().__init__(to, count, zlib.MAX_WBITS | 16)


class _Declared(_Layer):
    """A declared gzip or deflate. Servers name gzip and send plain text, or send deflate without its header."""

    def __init__(self, to: Sink, count: _Counter, name: str) -> None:
        super().__init__(to, count)
        self._name = name
        self._head = b""
        self._chosen: Sink | None = None

    def write(self, data: bytes) -> int:
        if self._chosen is not None:
            return self._chosen.write(data)
        self._head += data
        if len(self._head) >= len(_GZIP_MAGIC):
            self._chosen = self._choose()
            self._chosen.write(self._head)
        return len(data)

    def _choose(self) -> Sink:
        if self._name == "gzip":
            return _Gzip(self._to, self._count) if self._head.startswith(_GZIP_MAGIC) else self._to
        # RFC 1950: the first two bytes, read as one number, are a multiple of 31, and the method is 8.
        has_header = self._head[0] & 0x0F == 8 and int.from_bytes(self._head[:2], "big") % 31 == 0
        return _Zlib(self._to, self._count, zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)

    def finish(self) -> None:
        if self._chosen is None:
            self._chosen = self._to
            self._chosen.write(self._head)
        self._chosen.finish()


class _Brotli(_Layer):
    def __init__(self, to: Sink, count: _Counter) -> None:
        super().__init__(to, count)
        self._stream = brotli.Decompressor()
        self._begun = False

    def write(self, data: bytes) -> int:
        try:
            self._give(self._stream.process(data, output_buffer_limit=_PIECE))
            while not self._stream.can_accept_more_data():
                self._give(self._stream.process(b"", output_buffer_limit=_PIECE))
        except brotli.error as exc:
            raise BodyRefused(FailReason.UNDECODABLE, f"damaged brotli: {exc}") from exc
        self._begun = True
        return len(data)

    def finish(self) -> None:
        if self._begun and not self._stream.is_finished():
            raise BodyRefused(FailReason.SHORT_BODY, "the brotli body ends in the middle")
        self._to.finish()


class _Zstd(_Layer):
    """zstandard's writer gives its output in pieces, and our refusal from within `_Taker.write` stops it."""

    def __init__(self, to: Sink, count: _Counter) -> None:
        super().__init__(to, count)
        decompressor = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
        self._stream = decompressor.stream_writer(_Taker(self), write_size=_PIECE, closefd=False)  # type: ignore[arg-type]  # it only calls write

    def give(self, data: bytes) -> None:
        self._give(data)

    def write(self, data: bytes) -> int:
        try:
            self._stream.write(data)
        except zstandard.ZstdError as exc:
            raise BodyRefused(FailReason.UNDECODABLE, f"damaged zstd: {exc}") from exc
        return len(data)

    def finish(self) -> None:
        self._to.finish()


class _Taker:
    def __init__(self, layer: _Zstd) -> None:
        self._layer = layer

    def write(self, data: bytes) -> int:
        self._layer.give(data)
        return len(data)


def _chain(encodings: str, end: Sink, count: _Counter) -> Sink:
    """Build the decompressors for a Content-Encoding; the last one named was applied last and is undone first."""
    names = [name.strip().lower().removeprefix("x-") for name in encodings.split(",")]
    wanted = [name for name in names if name not in ("", "identity")]
    if len(wanted) > _DEEPEST:
        raise BodyRefused(FailReason.UNDECODABLE, f"{len(wanted)} encodings on top of each other")
    sink = end
    for name in wanted:
        sink = _layer(name, sink, count)
    return sink


def _layer(name: str, to: Sink, count: _Counter) -> Sink:
    match name:
        case "gzip" | "deflate":
            return _Declared(to, count, name)
        case "br":
            return _Brotli(to, count)
        case "zstd":
            return _Zstd(to, count)
        case _:
            raise BodyRefused(FailReason.UNDECODABLE, f"unknown Content-Encoding {name[:40]!r}")
