from __future__ import annotations

import pytest

from multitrain.slots import CpuPool, share_out


@pytest.mark.parametrize(
    ("cores", "count", "shares"),
    [
        (range(4), 1, [(0, 1, 2, 3)]),
        (range(4), 2, [(0, 1), (2, 3)]),
        (range(5), 2, [(0, 1), (2, 3, 4)]),
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
