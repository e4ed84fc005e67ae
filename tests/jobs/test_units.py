from __future__ import annotations

import pytest

from jobs.units import bytes_for_people


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (0.05 * 2**30, "51 MiB"),
        (9.94 * 2**20, "9.9 MiB"),
        (9.99 * 2**20, "10 MiB"),
        (2**30 - 1, "1.0 GiB"),
        (1.5 * 2**30, "1.5 GiB"),
        (3000 * 2**40, "3000 TiB"),
    ],
)
def test_bytes_as_people_read_them(count: float, text: str) -> None:
    assert bytes_for_people(count) == text
