from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from multitrain.protocol.call import Call

SHORT = Call(Path("/work space"), "job")
LONG = Call(Path("w"), "job", (0, 3), 2**40, 7, 5, 90.5, deterministic=True)


@pytest.mark.parametrize("call", [SHORT, LONG], ids=["short", "long"])
def test_a_call_is_read_as_it_was_written(call: Call) -> None:
    assert Call.parse(call.arguments()) == call


def test_the_command_line_is_as_people_type_it() -> None:
    assert SHORT.arguments() == ("/work space", "job", "--keep-free-bytes", "0")
    assert Call.parse(["/work space", "job"]) == SHORT
    with pytest.raises(SystemExit, match="2"):
        Call.parse(["w", "job", "--cores", "all"])


@pytest.mark.parametrize(
    ("change", "is_as_good"),
    [
        ({"cores": (1, 2)}, True),
        ({"cores": (1,)}, False),
        ({"job": "other"}, False),
        ({"lifeline": None}, False),
    ],
)
def test_a_call_on_as_many_cores_is_as_good(change: dict[str, object], is_as_good: bool) -> None:
    assert LONG.differs_in_cores_only(replace(LONG, **change)) == is_as_good  # type: ignore[arg-type]
