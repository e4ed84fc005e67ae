from __future__ import annotations

import pytest

from multitrain.machine.cores import share_out
from multitrain.protocol.environment import GPUS_LEASED
from multitrain.slots.cpu import CpuPool


@pytest.mark.parametrize(
    ("cores", "count", "shares"),
    [
        (range(4), 1, [(0, 1, 2, 3)]),
        (range(4), 2, [(0, 1), (2, 3)]),
        (range(5), 2, [(0, 1), (2, 3)]),
        (range(2), 3, [(0,), (1,), (0,)]),
    ],
)
def test_cores_are_shared_out(cores: range, count: int, shares: list[tuple[int, ...]]) -> None:
    assert share_out(cores, count) == shares


def test_a_taken_cpu_slot_comes_back() -> None:
    pool = CpuPool(2, cores=[0, 1])
    lease = pool.acquire(pool.free(0)[:1])
    assert lease is not None
    assert (lease.cores, lease.label) == ((0,), "cpu 0")
    assert [slot.label for slot in pool.free(0)] == ["cpu 1"]
    pool.release(lease, 0)
    assert len(pool.free(0)) == 2


def test_one_core_is_as_good_as_another() -> None:
    pool = CpuPool(2, cores=[0, 1])
    lease = pool.acquire(pool.free(0)[:1])
    assert lease is not None
    assert pool.fault(lease, 0) is None
    assert not pool.set_aside(lease, "it crashed", 0)
    pool.proved(lease)
    assert pool.usable() == 2
    pool.release(lease, 0)
    assert [slot.label for slot in pool.free(0)] == ["cpu 0", "cpu 1"]


def test_a_training_on_cores_sees_no_gpu_and_has_leased_none() -> None:
    pool = CpuPool(1, cores=[0])
    lease = pool.acquire(pool.free(0))
    assert lease is not None
    assert lease.environment == {"CUDA_VISIBLE_DEVICES": "-1", GPUS_LEASED: ""}
