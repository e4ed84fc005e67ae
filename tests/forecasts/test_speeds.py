"""What is known of speeds, kept from one farm to the next."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from multitrain.forecasts import speeds
from multitrain.forecasts.speeds import Cost, Speed, add_speeds, read_speeds


def speed(**changes: object) -> Speed:
    told = {"device": "card", "steps": 9, "step_seconds": 0.5, "start_seconds": 7.0}
    return Speed(**{"cost": Cost("dcgan", 10**9, 5000), **told, **changes})


def test_they_come_back_in_their_order(tmp_path: Path) -> None:
    first, second = speed(), speed(finish_seconds=0.25)
    add_speeds(tmp_path / "speeds", [first])
    add_speeds(tmp_path / "speeds", [second])
    assert read_speeds(tmp_path / "speeds") == [first, second]


def test_no_file_is_no_speed(tmp_path: Path) -> None:
    assert read_speeds(tmp_path / "speeds") == []
    assert read_speeds(tmp_path) == []


def line(**changes: object) -> bytes:
    return json.dumps({**asdict(speed()), **changes}).encode()


@pytest.mark.parametrize(
    "damaged",
    [
        b"\0\0\0",
        b"[1]",
        b'{"cost": 7}',
        line(step_seconds=0),
        line(step_seconds=float("nan")),
        line(start_seconds=-1),
        line(steps="many"),
        line(steps=10**400),
        line(step_seconds=5e-324),
        line(finish_seconds=""),
        line(device=7),
        line(cost={"kind": "dcgan", "operations": 1e300, "pixels": 1}),
        line(more=1),
        line()[:-9],
    ],
)
def test_damaged_lines_are_passed_over(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "speeds"
    path.write_bytes(damaged)
    add_speeds(path, [speed()])
    assert read_speeds(path) == [speed()]


def test_the_file_does_not_grow_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speeds, "MOST_BYTES", 2000)
    path = tmp_path / "speeds"
    for number in range(100):
        add_speeds(path, [speed(steps=number)])
        assert path.stat().st_size < 2 * speeds.MOST_BYTES
    assert read_speeds(path)[-1].steps == 99
