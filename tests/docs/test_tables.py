"""Sheets whose results stand in the documentation: they make the jobs that its tables name."""

from __future__ import annotations

import re
from pathlib import Path

from jobs.sheets.sheet import read_sheet
from jobs.tinkering.templates import generate
from jobs.workspace.paths import Workspace

DOCS = Path(__file__).parents[2] / "docs"


def test_the_sweep_of_an_autoencoder_makes_the_jobs_of_its_table(workspace: Workspace) -> None:
    page = (DOCS / "autoencoder.md").read_text(encoding="utf-8")
    (template,) = re.findall(r"```yaml\n(defaults:\n.*?)```", page, re.DOTALL)
    template = template.replace("bigbuckbunny.mp4", "demo")
    made = generate(template, "template.yaml", 1, 0, workspace).specs
    told = re.findall(r"(?m)^(codec-\S+) ", page)
    assert len(told) == 8
    assert {spec.name for spec in made} == {*told}


def test_each_net_is_trained_plain_and_residual(workspace: Workspace) -> None:
    page = (DOCS / "superres.md").read_text(encoding="utf-8")
    text = (DOCS / "residual.yaml").read_text(encoding="utf-8")
    sheet = workspace.root / "residual.yaml"
    sheet.write_text(text.replace("unseen_tiles", "10%").replace("bunny_tiles", "demo"))
    by_skip: dict[str, set[tuple[str, int | None]]] = {"none": set(), "bilinear": set()}
    for job in read_sheet(sheet, workspace).jobs:
        by_skip[job.spec.skip].add((job.spec.net, job.spec.features))
    assert by_skip["none"] == by_skip["bilinear"]
    section = page.partition("\n## What the difference is worth\n")[2].partition("\n## ")[0]
    told = re.findall(r"(?m)^\| `([\w-]+)`.*\d", section)
    assert sorted(told) == sorted(net for net, _ in by_skip["none"])
