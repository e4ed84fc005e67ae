"""A device for a command that draws: a GPU that nobody else uses, or the CPU's cores.

Ask for it before a framework is imported, which then sees just that device.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jobs.errors import MultitrainError
from multitrain.driver.driver import GpuDriver
from multitrain.slots.opening import open_pool
from multitrain.slots.slots import Lease, Pool
from multitrain.slots.watch import QUERY_SECONDS

AUTO, CPU = "auto", "cpu"
LOOKS = 3  # at GPUs: a driver may be slow to answer


@contextmanager
def leased_device(
    wanted: str, tell: Callable[[str], None], driver: GpuDriver | None = None
) -> Iterator[None]:
    """Meanwhile this process has a device, as its environment says; `tell` is called with its name.

    `wanted` is `auto`, `cpu` or a list of GPUs, of which one that is free is taken. `auto` takes
    the cores where no GPU is free. UsageError where there is no such GPU, MultitrainError where all
    of the list are in use.
    """
    pool, lease = _lease(wanted, tell, driver)
    before = {name: os.environ.get(name) for name in lease.environment}
    os.environ.update(lease.environment)
    tell(f"drawing on {lease.label if lease.descriptors else 'CPU cores'}")
    try:
        yield
    finally:
        pool.release(lease, time.monotonic())
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _lease(
    wanted: str, tell: Callable[[str], None], driver: GpuDriver | None
) -> tuple[Pool, Lease]:
    gpus = "all" if wanted == AUTO else wanted
    pool = open_pool(gpus, 1 if wanted == CPU else None, _nobody, driver)
    if lease := _free(pool):
        return pool, lease
    reasons = ", ".join(f"{slot} {reason}" for slot, reason in pool.busy_reasons().items())
    if wanted != AUTO:
        raise MultitrainError(f"no GPU of --gpus {wanted} is free: {reasons}; wait, or name others")
    tell(f"no GPU is free: {reasons}")
    cores = open_pool(CPU, 1, _nobody)
    lease = _free(cores)
    assert lease, "nobody else has this pool"
    return cores, lease


def _free(pool: Pool) -> Lease | None:
    for look in range(LOOKS):
        if look:
            time.sleep(QUERY_SECONDS)
        for slot in pool.free(time.monotonic()):
            if lease := pool.acquire([slot]):
                return lease
    return None


def _nobody(_: str) -> None:
    """Ignores the note that a farm would train on cores."""
