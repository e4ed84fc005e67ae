"""Why something was not sent, in words of ours: those of servers and libraries may hold secrets."""

from __future__ import annotations

import ftplib
import os
from collections.abc import Iterator

from jobs.errors import MultitrainError
from render.delivery.place import Altered

REFUSED = "the login was refused"
_FTP_LOGIN = "530"
_S3_LOGIN = {
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
    "403",
    "AccessDenied",
}
_BY_TYPE = {  # by names of types, because their libraries may not be installed
    "AuthenticationException": REFUSED,
    "PasswordRequiredException": f"{REFUSED}: the key file wants a password",
    "BadHostKeyException": "its host key is not the one that is known; it may be another server",
    "NoCredentialsError": "no keys are known; put key and secret into upload.ini",
    "PartialCredentialsError": "half of the keys is missing; put key and secret into upload.ini",
    "EndpointConnectionError": "it cannot be reached",
    "ConnectTimeoutError": "it does not answer",
    "ReadTimeoutError": "it does not answer any more",
    "EOFError": "the connection broke",
}


def reason_of(error: BaseException) -> str:
    """Why something failed, in one clause."""
    for each in _chain(error):
        if reason := _known_reason(each):
            return reason
    return f"it failed ({type(error).__name__})"


def _known_reason(error: BaseException) -> str | None:
    if isinstance(error, MultitrainError | Altered):
        return str(error)
    if isinstance(error, ftplib.Error):
        number = str(error)[:3]
        return f"{REFUSED} (answer {number})" if number == _FTP_LOGIN else f"answer {number}"
    if code := _s3_code(error):
        return f"{REFUSED} (answer {code})" if code in _S3_LOGIN else f"answer {code}"
    if reason := _BY_TYPE.get(type(error).__name__):
        return reason
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return f"[Errno {error.errno}] {os.strerror(error.errno)}"
    if isinstance(error, OSError) and error.strerror:  # of names that cannot be looked up
        return error.strerror
    return None


def _s3_code(error: BaseException) -> str | None:
    """The code of botocore's ClientError; None for other errors."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return None
    code = response.get("Error", {}).get("Code")
    return str(code) if code and str(code).isalnum() else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes, deepest first: libraries wrap the more telling ones."""
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if behind is not None:
        yield from _chain(behind)
    yield error
