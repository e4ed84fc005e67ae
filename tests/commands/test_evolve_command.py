"""`multitrain evolve`: generation after generation, gone on with where it was stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from jobs.errors import ExitCode
from jobs.sheets.sheet import read_sheet
from jobs.workspace.paths import Workspace
from multitrain.commands.evolve import command

pytestmark = pytest.mark.usefixtures("own_environment")

SHEET = """
jobs:
- {name: bred, family: superres, dataset: photos, validation: photos, grid_width: 1,
   grid_height: 1, steps: 4, batch_size: 2, blocks: 2, features: 8}
"""
OPTIONS = ("--population", "4", "--survivors", "2", "--generations", "3")


class Farm:
    """Trains nothing: a job is the better, the fewer genes it has; `runs` are its calls."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace, self.runs = workspace, []
        self.stops_at: str | None = None
        self.steps = 4  # so many, of four

    def run(self, sheet: str) -> int:
        self.runs.append(Path(sheet).name)
        if self.stops_at and self.stops_at in sheet:
            return ExitCode.DRAINED
        for job in read_sheet(Path(sheet), self.workspace).jobs:
            paths = self.workspace.job(job.spec.name)
            paths.run.mkdir(parents=True, exist_ok=True)
            job.save(paths)
            psnr = 40.0 - len(job.spec.genome.split())
            line = {"step": self.steps, "measures": {"psnr": psnr}}
            paths.progress.write_text(json.dumps(line) + "\n")
        return ExitCode.DONE


@pytest.fixture
def farm(
    workspace: Workspace, make_pictures: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch
) -> Farm:
    monkeypatch.chdir(workspace.root)
    make_pictures(workspace.dataset("photos"), count=4, size=(24, 16))
    (workspace.root / "bred.yaml").write_text(SHEET)
    return Farm(workspace)


def call(farm: Farm, *arguments: str) -> Result:
    @click.group()
    def commands() -> None: ...

    @commands.command("run")
    @click.argument("sheet")
    @click.option("--gpus")
    @click.option("--workspace")
    def run(sheet: str, gpus: str, workspace: str) -> None:
        raise SystemExit(farm.run(sheet))

    commands.add_command(command)
    return CliRunner().invoke(commands, ["evolve", "bred.yaml", *OPTIONS, *arguments])


def test_the_best_have_children_and_the_best_of_all_is_a_sheet(farm: Farm) -> None:
    result = call(farm)

    assert result.exit_code == 0, result.exception
    assert farm.runs == [f"bred_g{number:02d}.yaml" for number in (1, 2, 3)]
    sheets = [read_sheet(Path(each), farm.workspace).jobs for each in farm.runs]
    genomes = [job.spec.genome for jobs in sheets for job in jobs]
    assert len(set(genomes)) == 12
    (best,) = read_sheet(Path("bred_best.yaml"), farm.workspace).jobs
    fewest = min(len(each.split()) for each in genomes)
    assert len(best.spec.genome.split()) == fewest
    assert best.spec.name == "bred_best"
    assert f"{40 - fewest:.2f}" in result.output


def test_a_call_that_was_stopped_goes_on_with_the_same_generations(farm: Farm) -> None:
    farm.stops_at = "g02"
    assert call(farm).exit_code == ExitCode.DRAINED
    before = Path("bred_g02.yaml").read_text()
    farm.stops_at, farm.runs = None, []

    assert call(farm).exit_code == 0

    assert Path("bred_g02.yaml").read_text() == before
    assert len(farm.runs) == 3
    assert call(farm).exit_code == 0, "and once more, with nothing left to do"


def test_what_is_the_users_stays(farm: Farm) -> None:
    Path("bred_best.yaml").write_text("# mine\n")
    result = call(farm)
    assert Path("bred_best.yaml").read_text() == "# mine\n"
    assert "bred_best.yaml is there already, with something else" in result.output
    Path("bred_g01.yaml").write_text(SHEET)
    result = call(farm)
    assert "bred_g01.yaml was bred of another template" in str(result.exception)
    assert Path("bred_g01.yaml").read_text() == SHEET


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (", validation: photos", "", "bred has no validation"),
        ("family: superres", "family: dcgan", "bred is a dcgan; what is bred is a superres"),
    ],
)
def test_what_cannot_be_bred_is_told(farm: Farm, old: str, new: str, words: str) -> None:
    text = SHEET
    if "dcgan" in new:
        text = text.replace(", validation: photos", "").replace(", blocks: 2, features: 8", "")
    Path("bred.yaml").write_text(text.replace(old, new))
    assert words in str(call(farm).exception)
    assert farm.runs == []


def test_where_nobody_comes_to_the_end_it_is_told(farm: Farm) -> None:
    """As of jobs that have failed after they were measured once."""
    farm.steps = 3
    result = call(farm)
    assert "nobody of generation 1 has come to the end" in str(result.exception)


def test_another_call_is_told_where_its_sheets_are_others(farm: Farm) -> None:
    assert call(farm).exit_code == 0
    before = Path("bred_g01.yaml").read_text()
    result = call(farm, "--seed", "5")
    assert "bred_g01.yaml was bred of another template, or by other options" in str(
        result.exception
    )
    assert Path("bred_g01.yaml").read_text() == before
