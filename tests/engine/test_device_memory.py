from __future__ import annotations

import pytest

from multitrain.driver.driver import DriverError, Gpu
from multitrain.engine.device_memory import fits, gpu_bytes


class Driver:
    def gpus(self) -> list[Gpu]:
        sizes = {"GPU-a": 24, "GPU-b": 8, "GPU-c": 0}
        return [Gpu(n, uuid, "", size, size) for n, (uuid, size) in enumerate(sizes.items())]


class BrokenDriver:
    def gpus(self) -> list[Gpu]:
        raise DriverError("no")


@pytest.mark.parametrize(
    ("visible", "size"),
    [(None, 8), ("GPU-a", 24), ("GPU-b,GPU-a", 8), ("GPU-c", None), ("-1", None)],
)
def test_the_smallest_of_the_visible_gpus_counts(
    visible: str | None, size: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_bytes(Driver()) == size


def test_a_driver_that_fails_leaves_it_unknown() -> None:
    assert gpu_bytes(BrokenDriver()) is None


def test_half_of_a_device_is_for_pictures() -> None:
    assert fits(4, 8)
    assert not fits(5, 8)
    assert fits(5, None)
