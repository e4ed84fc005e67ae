"""Who may see the page, and who may change something: one secret, and what follows from it.

The secret lies in the workspace, so that an open page goes on when its server starts again. The
link that `multitrain serve` prints holds it behind the `#`, which browsers send nowhere; the page
exchanges it for a cookie, which is enough to look, and for a key, which orders carry in a header. A
browser sends the cookie to every server on this host, whatever its port, but the key to ours alone.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jobs.reading import DamagedText, read_text
from jobs.workspace.files import atomic_write

SECRET_BYTES = 32
SECRET_LETTERS = 43  # so many are these bytes in base64
TRIES = 10  # wrong tokens of one address
TRIES_SECONDS = 60.0
MOST_ADDRESSES = 1000  # that are remembered


@dataclass(frozen=True)
class Keys:
    """The token of the link, and what it is exchanged for."""

    token: str

    @property
    def cookie(self) -> str:
        return self._derived("look")

    @property
    def key(self) -> str:
        return self._derived("change")

    def _derived(self, use: str) -> str:
        return hmac.new(self.token.encode(), use.encode(), hashlib.sha256).hexdigest()


def same(given: str, right: str) -> bool:
    """Whether two secrets are the same, in a time that tells nothing of the right one."""
    return hmac.compare_digest(given.encode(errors="replace"), right.encode())


def read_or_make(path: Path, *, new: bool = False) -> Keys:
    """The keys of the workspace whose secret lies at `path`, which only its owner may read.

    Made where there is none that is whole, or where a `new` one is wanted: then no link and no open
    page of before is let in. OSError where it can be neither read nor written.
    """
    with suppress(FileNotFoundError, DamagedText):
        found = read_text(path).strip()
        is_private = not path.stat().st_mode & 0o077
        if len(found) == SECRET_LETTERS and is_private and not new:
            return Keys(found)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    with atomic_write(path) as part:
        part.unlink(missing_ok=True)
        part.touch(0o600, exist_ok=False)  # before there is anything in it to be read
        part.write_text(f"{secret}\n", encoding="ascii")
    return Keys(secret)


class Tries:
    """Counts wrong tokens, by address: whoever has given too many must wait."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` returns seconds and only goes forward."""
        self._clock = clock
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def seconds_to_wait(self, address: str) -> float:
        """Until this address may try again; 0 where it may now."""
        wrong = self._wrong.get(address)
        if not wrong or len(wrong) < TRIES:
            return 0.0
        return max(0.0, wrong[0] + TRIES_SECONDS - self._clock())

    def was_wrong(self, address: str) -> None:
        """Note that this address gave a wrong token just now."""
        self._wrong.setdefault(address, deque(maxlen=TRIES)).append(self._clock())
        self._wrong.move_to_end(address)
        while len(self._wrong) > MOST_ADDRESSES:
            self._wrong.popitem(last=False)
