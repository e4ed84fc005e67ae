"""Families are asked for what they are, and by name in their table alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from jobs.families.table import FAMILIES
from jobs.settings.spec import COLUMNS
from multitrain import families

ROOT = Path(__file__).parents[3]
# Where the name of a family may stand: the table, the column, the modules that make networks.
# The sheets that `quick` writes are of families, as a user's are.
QUICK = "multitrain/commands/quick"
EVOLVE = "multitrain/commands/evolve.py"  # it breeds the networks of one family
CODEC = "multitrain/codec"  # its streams are of one family's latents
AT_HOME = {"jobs/families", "multitrain/families", "jobs/settings/spec.py", QUICK, EVOLVE, CODEC}


def test_nobody_else_asks_for_a_family_by_name() -> None:
    named = re.compile("|".join(f"[\"'.]{name}\\b" for name in FAMILIES))
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for room in ("jobs", "render", "multitrain")
        for path in sorted((ROOT / room).rglob("*.py"))
        if not any(str(path.relative_to(ROOT)).startswith(home) for home in AT_HOME)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if named.search(line)
    ]
    assert found == []


def test_column_table_and_modules_have_the_same_families() -> None:
    column = set(get_args(COLUMNS["family"].annotation))
    assert column == FAMILIES.keys() == families.MODULES.keys()


def test_a_family_speaks_of_its_own_networks() -> None:
    for name, family in FAMILIES.items():
        known = {*family.networks}
        assert family.trains == bool(known), name
        assert {*family.averaged.values(), *filter(None, [family.sampler])} <= known
        assert family.columns_of_layers | family.columns_of_steps <= COLUMNS.keys()
