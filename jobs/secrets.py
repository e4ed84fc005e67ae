"""Passwords in texts that people write: found, and kept out of messages, files and logs.

A sheet is shown to others, and messages repeat its cells, so no cell of any column may hold a
password. Commands and webhooks may name a variable of the environment instead.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import unquote, urlsplit

NO_SECRETS = (
    "must not hold a password, which everybody who sees the sheet would know; "
    "put it into upload.ini beside data/ or into ~/.netrc"
)
IN_A_VARIABLE = (
    "must not hold a password, which everybody who sees the sheet would know; "
    "put it into a variable of the environment and name that, as in ftp://vj:$NAS_PASSWORD@nas"
)
NOT_REPEATED = "is wrong; it seems to hold a password, so it is not repeated here"
HIDDEN = "…"

# All repetitions are bounded: a text may be megabytes without a blank.
_COLON = r"(?::|%(?:25){0,9}3a)"  # also percent-encoded, even several times over
# A variable is no password, nor is a port: `https://host:8080/@x`.
_LOGIN = re.compile(
    rf"(?P<before>\b[a-z][\w+.-]{{0,20}}:/{{1,2}})(?!/)[^\s/]{{0,200}}?{_COLON}(?!\$|\d{{1,5}}[/?#])\S{{0,500}}@",
    re.IGNORECASE,
)
# Finds more logins than `_LOGIN`, in texts that no shell reads: `sftp://vj:12/x@nas`, users with a
# slash, passwords with blanks. Not a host with a port, or in brackets, and an `@` further on.
_ANY_LOGIN = re.compile(
    rf"\b[a-z][\w+.-]{{0,20}}://(?![/\[])(?:(?>[^\s?#]{{0,200}}?{_COLON}(?!//))\S{{0,500}}@"
    rf"|(?>[^\s/?#@]{{1,200}}?{_COLON})(?!\s|\d{{1,5}}(?:[/?#]\S{{0,500}})?\s).{{0,500}}@)",
    re.IGNORECASE | re.DOTALL,
)
# A login without a scheme, such as `vj:secret@nas`; in `sftp://vj@nas` the colon ends the scheme.
_BARE_LOGIN = re.compile(rf"^[^\s/:@]{{1,200}}{_COLON}(?!//)\S{{0,500}}@[\w\[]", re.IGNORECASE)
_QUERY = re.compile(
    r"(?P<before>[?&]\w{0,40}(?:pass|pwd|secret|token|sig|auth|key)\w{0,40}=)(?!\$)[^\s&'\"]+",
    re.IGNORECASE,
)


def secret_cells(texts: Mapping[str, str], orders: Collection[str]) -> dict[str, str]:
    """The columns whose cells hold a password, each with the reason why it must not.

    `orders` are columns whose text a shell sees, or variables are put into.
    """
    reasons = {}
    for column, text in texts.items():
        is_order = column in orders
        if "@" in text and (_LOGIN.search(text) or (not is_order and _ANY_LOGIN.search(text))):
            reasons[column] = IN_A_VARIABLE if is_order else NO_SECRETS
    return reasons


def seems_secret(text: str) -> bool:
    """Whether no message should repeat `text`."""
    return any(each.search(text) for each in (_LOGIN, _ANY_LOGIN, _BARE_LOGIN, _QUERY))


def hidden(text: str) -> str:
    """`text` without what may be logins and keys in the addresses that it holds."""
    return _QUERY.sub(rf"\g<before>{HIDDEN}", _LOGIN.sub(rf"\g<before>{HIDDEN}@", text))


def holds_key(address: str) -> bool:
    """Whether what stands behind the `?` of an address is a password or the like."""
    return bool(_QUERY.search(address))


def holds_colon(user: str) -> bool:
    """Whether the part of an address before its `@` has a password, however percent-encoded."""
    while user != (user := unquote(user)):
        pass
    return ":" in user


def plain_address(address: str) -> str:
    """An address as it may be written down: without login, query and fragment."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "the address"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
