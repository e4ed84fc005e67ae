"""What starts processes for the farm: one interface, several ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Launch:
    """A process to start: what it runs, sees and inherits."""

    command: tuple[str, ...]
    log: Path  # stdout and stderr are appended to it
    environment: Mapping[str, str] = field(  # added to the farm's own, cleaned up
        default_factory=dict,
    )
    descriptors: Sequence[int] = ()  # inherited under their numbers
    listens: bool = False  # gets a pipe as stdin; its end means that the farm is gone


class Process(Protocol):
    """A started process and all its descendants."""

    @property
    def pid(self) -> int:
        """Of the process that was started, not of its descendants."""

    def poll(self) -> int | None:
        """The exit code once the whole process tree is gone, else None; negative: the signal."""

    def say(self, line: str) -> None:
        """Write a line to its stdin; nothing happens where it has just died."""

    def hush(self) -> None:
        """Close its stdin: no more lines."""

    def drain(self) -> None:
        """Ask it to stop at the next good moment (SIGTERM)."""

    def dump_stack(self) -> None:
        """Have it write to its log where each of its threads is (SIGUSR1)."""

    def kill(self) -> None:
        """End the whole tree at once (SIGKILL)."""


class Executor(Protocol):
    """Starts processes."""

    def start(self, launch: Launch) -> Process:
        """Start a process in a session of its own. MultitrainError where that is impossible."""
