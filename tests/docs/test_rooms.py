"""The page on architecture knows every module; frameworks are where it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

# Trainings, or parts of such.
WITH_FRAMEWORKS = (
    "multitrain.engine.",
    "multitrain.families.",
    "multitrain.networks.",
    "multitrain.inference.network",
    "multitrain.walking.sampler",
    "multitrain.applying.translator",
    "multitrain.applying.making",
    "multitrain.applying.measuring",
    "multitrain.codec.coding",
    "multitrain.codec.curve",
    "multitrain.codec.online",
    "multitrain.codec.quality",
    "multitrain.portable.kit",
    "multitrain.portable.layers",
    "multitrain.portable.operations",
    "multitrain.portable.plain",
    "multitrain.portable.writing",
)


def modules(package: str) -> list[str]:
    paths = [path.relative_to(ROOT) for path in (ROOT / package).rglob("*.py")]
    return sorted(
        ".".join(path.with_suffix("").parts)
        for path in paths
        if path.stem not in ("__init__", "__main__")
    )


@pytest.mark.parametrize("package", ["jobs", "render", "multitrain"])
def test_the_page_names_every_module_in_its_room(package: str) -> None:
    table = PAGE.split(f"\n### `{package}`: ")[1].split("\n###")[0].split("\n## ")[0]
    named = {row: set(re.findall(r"`([\w.]+)`", row)) for row in table.splitlines()}
    for module in modules(package):
        *rooms, name = module.split(".")[1:]
        room = rooms[0] if rooms else "(top)"
        rows = [row for row in named if row.startswith((f"| `{room}", f"| {room}"))]
        assert any(name in named[row] for row in rows), f"{module} is not on the page"


IMPORTED = """
import sys
from importlib import import_module
for module in sys.argv[1:]:
    import_module(module)
    found = {"jax", "keras", "tensorflow"} & sys.modules.keys()
    assert not found, f"{module} imports {', '.join(sorted(found))}"
"""


def test_no_module_outside_of_trainings_imports_a_framework() -> None:
    """import-linter reads the code; this sees what is imported, by whomever."""
    everything = [each for package in ("jobs", "render", "multitrain") for each in modules(package)]
    plain = [each for each in everything if not each.startswith(WITH_FRAMEWORKS)]
    assert len(plain) > 200
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *plain], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
