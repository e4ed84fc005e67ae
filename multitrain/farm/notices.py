"""Telling others that a job is done or has failed, or that the night is over.

By commands and webhooks: those of a job's sheet, or of the farm (`--on-night-done`).

Each runs in a thread with a time limit, so that no tick waits for it. A file in the job's folder
says what was sent, so that a farm that is started again does not repeat it.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from jobs.reading import DamagedText, read_text
from jobs.sheets.delivery_rules import is_webhook
from jobs.workspace.files import write_text
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from jobs.workspace.states import State
from multitrain.web_calls import opened

COMMAND_SECONDS = 600.0
WEBHOOK_SECONDS = 30.0
AT_ONCE = 8  # commands and webhooks; others wait, and their time begins with their turn
PREFIX = "MULTITRAIN_"


@dataclass(frozen=True)
class Notice:
    """What is to be told to whom."""

    subject: str  # for people: the job's name
    order: str  # a shell command, or an address
    said_in: str  # the column or option that holds it
    facts: dict[str, str]  # a job: job, state, film, error; a night: counts; both: workspace
    folder: Path  # where commands run
    log: Path
    sent: Path | None = None  # a file that says it was sent; None: it is sent whenever it is begun

    @classmethod
    def of(cls, paths: JobPaths, job: JobFile, state: State, error: str) -> Notice | None:
        """The notice of a job that got to `state`; None where the sheet wants none."""
        column, order = {
            State.DONE: ("on_done", job.spec.on_done),
            State.FAILED: ("on_failed", job.spec.on_failed),
        }.get(state, ("", None))
        if not order:
            return None
        root = paths.workspace.root.absolute()
        facts = {
            "job": paths.name,
            "state": str(state),
            "film": _film(paths, job) if state is State.DONE else "",
            "error": error,
            "workspace": str(root),
        }
        return cls(paths.name, order, column, facts, root, paths.log, paths.notice(state))

    @classmethod
    def of_night(
        cls, workspace: Workspace, order: str, counts: Mapping[State, int], seconds: float
    ) -> Notice:
        """The notice of a night that is over, after so many seconds."""
        root = workspace.root.absolute()
        facts = {str(state): str(counts.get(state, 0)) for state in State if state.ended}
        facts |= {"seconds": f"{seconds:.0f}", "workspace": str(root)}
        return cls("the night", order, "--on-night-done", facts, root, workspace.night_log)

    @property
    def is_webhook(self) -> bool:
        return is_webhook(self.order)

    @property
    def outcome(self) -> str:
        state = self.facts.get("state")
        return f"the job is {state}" if state else "the night is over"


@dataclass(frozen=True)
class Trouble:
    """Why a notice did not get through, for people."""

    subject: str
    text: str


class Notices:
    """Runs what jobs want to be done when they end, each once."""

    def __init__(
        self, command_seconds: float = COMMAND_SECONDS, webhook_seconds: float = WEBHOOK_SECONDS
    ) -> None:
        self._limits = command_seconds, webhook_seconds
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._threads: list[threading.Thread] = []
        self._running: set[threading.Thread] = set()  # those that run a command now
        self._commands: set[subprocess.Popen[bytes]] = set()
        self._troubles: list[Trouble] = []
        self._lock = threading.Lock()
        self._killed = False

    @property
    def idle(self) -> bool:
        """Whether no notice is on its way, and all troubles were taken.

        After `kill` only running commands count, which end soon. Webhooks, and what waits for its
        turn, go on until this process ends.
        """
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        with self._lock:
            self._running.intersection_update(self._threads)
            left = self._running if self._killed else self._threads
            return not left and not self._troubles

    def begin(self, notice: Notice) -> None:
        """Send the notice in a thread, unless that was done before.

        It counts as sent from here on: what a kill cuts off is not sent again. A failed job that a
        user starts again gets a new notice, however it ends: see `multitrain.farm.submission`.
        """
        if _was_sent(notice):
            return
        noted = _note(notice)
        work = (notice, noted)
        thread = threading.Thread(target=self._work, args=work, name="notice", daemon=True)
        self._threads.append(thread)
        thread.start()

    def take_troubles(self) -> list[Trouble]:
        """The troubles since the last call."""
        with self._lock:
            troubles, self._troubles = self._troubles, []
        return troubles

    def kill(self) -> None:
        """End every command at once, and begin none of those that wait."""
        with self._lock:
            self._killed = True
            for command in self._commands:
                _kill(command)

    def _work(self, notice: Notice, noted: bool) -> None:
        with self._turns:
            with self._lock:
                if self._killed:
                    return
                if not notice.is_webhook:
                    self._running.add(threading.current_thread())
            problem = self._post(notice) if notice.is_webhook else self._run(notice)
        if problem:
            self._tell(notice, f"{problem}; {notice.outcome} all the same")
        if not noted and not _note(notice):
            self._tell(notice, "was run, but that cannot be noted: another run may do it again")

    def _run(self, notice: Notice) -> str:
        """Why the command failed; empty where it did not."""
        variables = {PREFIX + key.upper(): value for key, value in notice.facts.items()}
        try:
            with _appending(notice) as log, self._lock:
                if self._killed:
                    return ""
                command = subprocess.Popen(
                    ["/bin/sh", "-c", notice.order],
                    cwd=notice.folder,
                    env=os.environ | variables,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                self._commands.add(command)
        except (OSError, ValueError) as error:
            return f"could not be run ({error})"
        return self._wait(command, notice.log)

    def _wait(self, command: subprocess.Popen[bytes], log: Path) -> str:
        limit = self._limits[0]
        try:
            code = command.wait(limit)
        except subprocess.TimeoutExpired:
            _kill(command)
            command.wait()
            return f"was ended after {limit:g} seconds (log: {log})"
        finally:
            with self._lock:
                self._commands.discard(command)
        return f"ended with code {code} (log: {log})" if code else ""

    def _post(self, notice: Notice) -> str:
        """Why the address did not take it; empty where it did. Addresses may hold secrets."""
        address = os.path.expandvars(notice.order.strip())
        try:
            request = urllib.request.Request(
                address,
                json.dumps(notice.facts).encode(),
                {"Content-Type": "application/json", "User-Agent": "multitrain"},
            )
            with opened(request, self._limits[1]) as (answer, _):
                result = f"{_host(address)} answered {answer.status}"
            problem = ""
        except urllib.error.HTTPError as error:
            error.close()
            result = problem = f"{_host(address)} answered {error.code}"
        except (OSError, ValueError, http.client.HTTPException) as error:  # URLError is an OSError
            reason = getattr(error, "reason", None)
            cause = reason if isinstance(reason, Exception) else error
            why = getattr(cause, "strerror", None) or type(cause).__name__
            result = problem = f"{_host(address)} was not reached ({why})"
        with suppress(OSError), _appending(notice) as log:
            os.write(log, os.fsencode(f"{notice.said_in}: {result}\n"))
        return problem

    def _tell(self, notice: Notice, text: str) -> None:
        with self._lock:
            self._troubles.append(Trouble(notice.subject, f"{notice.said_in} {text}"))


def _was_sent(notice: Notice) -> bool:
    if notice.sent is None:
        return False
    try:
        error = read_text(notice.sent, errors="surrogateescape")
    except (OSError, DamagedText):
        return False
    return notice.facts["state"] == State.DONE or error == notice.facts["error"]


def _note(notice: Notice) -> bool:
    """Note that the notice was sent; returns whether that could be written."""
    with suppress(OSError):
        if notice.sent:
            write_text(notice.sent, notice.facts["error"])
        return True
    return False


@contextmanager
def _appending(notice: Notice) -> Iterator[int]:
    """The descriptor of the log, opened to append."""
    notice.log.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(notice.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        yield log
    finally:
        os.close(log)


def _kill(command: subprocess.Popen[bytes]) -> None:
    """Kill the command and what it started in its group, unless it has been waited for already."""
    if command.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(command.pid, signal.SIGKILL)


def _film(paths: JobPaths, job: JobFile) -> str:
    """Where the film is, with boxes a line for each; or the folder of frames, without a film."""
    made: Sequence[Path] = paths.films(job.plan) if job.spec.render_video else [paths.frames]
    return "\n".join(str(path.absolute()) for path in made)


def _host(address: str) -> str:
    """The host's name, if it surely is one: any other text in its place may be a secret."""
    with suppress(ValueError):
        host = urlsplit(address).hostname or ""
        if re.fullmatch(r"[\w.:-]+", host):
            return host
    return "the address"
