"""Commands of ours that the page starts as processes: what they say, within a time."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from multitrain.serving.bodies import Refused

LOW_PRIORITY = ("nice", "-n", "10")
AT_ONCE = 2  # processes; others wait
END_SECONDS = 5.0  # that a command may take to clear up
MOST_SAID = 16 * 2**20  # bytes


class Said(NamedTuple):
    """How a command has ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Programs:
    """Starts `program`, the command `multitrain`, with arguments; in the workspace's folder."""

    program: tuple[str, ...]
    folder: Path
    turn: asyncio.Semaphore

    async def run(self, arguments: Sequence[str], seconds: float, *, is_low: bool = False) -> Said:
        """Refused where it does not end in `seconds`: then it is killed.

        One of low priority leaves the cores to trainings.
        """
        before = LOW_PRIORITY if is_low and shutil.which(LOW_PRIORITY[0]) else ()
        async with self.turn:
            process = await asyncio.create_subprocess_exec(
                *before,
                *self.program,
                *arguments,
                cwd=self.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            try:
                async with asyncio.timeout(seconds):
                    out, err = await process.communicate()
            except TimeoutError as error:
                raise Refused(504, f"that took longer than {seconds:g} seconds") from error
            finally:
                if process.returncode is None:
                    await asyncio.shield(_end(process))
        assert process.returncode is not None, "it has been waited for"
        texts = (said[:MOST_SAID].decode(errors="replace") for said in (out, err))
        return Said(process.returncode, *texts)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a command, which takes along what it has half-made; at last, all that it has started."""
    with suppress(ProcessLookupError):
        process.terminate()
    with suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            await process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # it leads a session of its own
    with suppress(TimeoutError):  # pipes may be open in what has left that session
        async with asyncio.timeout(END_SECONDS):
            await process.communicate()
