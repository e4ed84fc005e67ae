"""Real disks of a few megabytes, which nobody outside of a test ever sees."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from jobs.workspace.disk import free_bytes


class SmallDisk:
    """A tmpfs in a mount namespace of its own; it is there as long as the process that holds it.

    No rights are needed where a user may make namespaces. From outside it is reached by `path`, by
    way of `/proc`. SQLite resolves such a path and comes to another place: what opens a store runs
    `inside`, where the disk is at `mount_point`.
    """

    def __init__(self, mount_point: Path, megabytes: int) -> None:
        """OSError, with the system's words, where the machine forbids it."""
        mount = f"mount -t tmpfs -o size={megabytes}m none {shlex.quote(str(mount_point))}"
        self._holder = subprocess.Popen(
            [
                *("unshare", "--user", "--map-root-user", "--mount"),
                *("sh", "-c", f"{mount} && echo mounted && exec cat"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self._holder.stdout
        said = self._holder.stdout.readline().decode().strip()
        self.mount_point = mount_point
        self.path = Path(f"/proc/{self._holder.pid}/root{mount_point}")
        self._filler = self.path / "filler"
        if said != "mounted" or self.path.stat().st_dev == mount_point.stat().st_dev:
            self.close()
            raise OSError(said)

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command that runs `command` where the disk is mounted; the process stays the same."""
        target = ("--target", str(self._holder.pid))
        return ["nsenter", *target, "--user", "--preserve-credentials", "--mount", *command]

    def fill(self, leave: int = 0) -> None:
        """Take all room but `leave` bytes, in whole blocks."""
        with self._filler.open("wb", buffering=0) as file:
            while (room := free_bytes(self.path) - leave) > 0:
                file.write(bytes(min(room, 2**20)))

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink()

    def close(self) -> None:
        self._holder.communicate()
