"""All randomness of an instance: Call-IDs, tags, branches, CSeq starts, jitter, shuffles."""

from __future__ import annotations

import random  # noqa: TID251 -- its one owner

#: RFC 3261 section 8.1.1.7: what every branch of today's SIP begins with
MAGIC_COOKIE = "z9hG4bK"

_LINE_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_LINE_LENGTH = 7

#: Call-IDs and client nonces drawn from the kernel in one go
_POOL = 64


class Ids:
    """Fresh identifiers.  Seeded from the system; a fixed `seed` makes a run repeatable in tests.

    The identifiers need to be unique and hard to guess from outside, not secret: they travel in
    clear over UDP anyway (RFC 3261 sections 8.1.1.4, 19.3).
    """

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed) if seed is not None else random.SystemRandom()
        # drawing from the kernel for every branch would cost more than the rest of a request
        self._fast = random.Random(self._random.getrandbits(256))
        self._pool: list[str] = []

    def call_id(self) -> str:
        """A Call-ID, unique in space and time (RFC 3261 section 8.1.1.4)."""
        return self._drawn()

    def tag(self) -> str:
        """A From tag of 64 random bits (RFC 3261 section 19.3)."""
        return f"{self._fast.getrandbits(64):016x}"

    def branch(self) -> str:
        """A Via branch of 96 random bits (RFC 3261 section 8.1.1.7)."""
        return f"{MAGIC_COOKIE}{self._fast.getrandbits(96):024x}"

    def cnonce(self) -> str:
        """A client nonce of 128 random bits (RFC 7616 section 3.4)."""
        return self._drawn()

    def _drawn(self) -> str:
        """128 bits of the kernel's; to ask it for each would cost more than the rest."""
        if not self._pool:
            drawn = f"{self._random.getrandbits(128 * _POOL):0{32 * _POOL}x}"
            self._pool = [drawn[at : at + 32] for at in range(0, 32 * _POOL, 32)]
        return self._pool.pop()

    def cseq(self) -> int:
        """The first CSeq of a Call-ID: 1 .. 32767, far below 2**31 (RFC 3261 8.1.1.5)."""
        return self._fast.randrange(1, 32768)

    def line(self) -> str:
        """The `line` parameter of a Contact: seven letters."""
        return "".join(self._fast.choices(_LINE_ALPHABET, k=_LINE_LENGTH))

    def jitter_s(self, most_s: int) -> int:
        """Whole seconds from 0 to `most_s` - 1; 0 when `most_s` is 0 or 1."""
        return self._fast.randrange(most_s) if most_s > 1 else 0

    def fraction(self) -> float:
        """A number from 0 up to 1, for the weights of SRV records (RFC 2782)."""
        return self._fast.random()

    def key(self) -> bytes:
        """A secret of this run, 32 bytes."""
        return self._random.getrandbits(256).to_bytes(32, "big")
