"""`multitrain show`: a job as a sheet of its own, and the layers of its networks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.errors import UsageError
from jobs.settings.choices import Optimizer
from jobs.sheets.sheet import read_sheet
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.commands import layer_table
from multitrain.commands.cli import commands

SHEET = """\
presets: {neon: {generator: {layers: 3, activation: [elu, "sine(2)"]}, loss: hinge}}
defaults: {dataset: demo, grid_width: 2, grid_height: 2, video_length: 1, preset: neon}
jobs: [{name: a, ema: 0.9, family: dcgan}, {name: card, family: testcard}]
"""


@pytest.fixture
def sheet(workspace: Workspace) -> Path:
    path = workspace.root / "sheet.yaml"
    path.write_text(SHEET)
    return path


def show(sheet: Path, *arguments: str) -> Result:
    call = ["show", str(sheet), *arguments, "--workspace", str(sheet.parent)]
    return CliRunner().invoke(commands, call)


@pytest.mark.parametrize("changed", [[], ["--changed"]])
def test_what_is_shown_is_a_sheet_of_the_same_job(
    sheet: Path, workspace: Workspace, changed: list[str]
) -> None:
    again = workspace.root / "again.yaml"
    again.write_text(show(sheet, "a", *changed).stdout)
    assert read_sheet(again, workspace).jobs == read_sheet(sheet, workspace).jobs[:1]


def test_the_layers_stand_on_standard_error_with_their_sums(sheet: Path) -> None:
    told = show(sheet, "a").stderr
    for words in ("generator 3", "discriminator 5", "sine(frequency=2.0)", "96x54x3", "5x5"):
        assert words in told
    assert told.count("generator ") == 4
    assert "what the optimizer keeps for each" in " ".join(told.split())


def test_a_family_that_reckons_it_tells_what_a_step_holds(sheet: Path) -> None:
    text = sheet.read_text()
    sheet.write_text(
        text.replace("{name: card, family: testcard}", "{name: fast, family: fastgan}")
    )
    told = " ".join(show(sheet, "fast").stderr.split())
    assert "all networks" in told
    assert "a step holds about" in told
    assert "a step holds about" not in " ".join(show(sheet, "a").stderr.split())
    plain = json.loads(show(sheet, "fast", "--json").stdout)
    weights = sum(layer["weight_bytes"] for layers in plain["layers"].values() for layer in layers)
    assert weights < plain["step_bytes"] < 2 * weights


def test_what_a_step_holds_grows_with_the_batch_and_shrinks_with_the_precision() -> None:
    def held(**columns: object) -> int:
        told = {"name": "a", "dataset": "demo", "grid_width": 1, "grid_height": 1}
        told |= {"video_length": 1, "family": "fastgan", "precision": "float32", "batch_size": 2}
        job = JobFile(spec=told | columns, image_width=1024, image_height=1024)
        return layer_table.step_bytes(job) or 0

    assert 1.7 * 2**30 < held() < 2.1 * 2**30
    assert held(batch_size=4) > 1.7 * held()
    assert held(precision="bfloat16") < 0.7 * held()
    assert held(batch_size=4, gpus=2) == held()


def test_a_family_without_networks_has_no_layers(sheet: Path) -> None:
    result = show(sheet, "card")
    assert (result.exit_code, result.stderr) == (0, "")


def test_the_same_for_machines(sheet: Path) -> None:
    told = json.loads(show(sheet, "a", "--json", "--changed").stdout)
    assert told["settings"]["generator"]["layers"][1] == {
        "activation": {"name": "sine", "frequency": 2.0}
    }
    last = told["layers"]["generator"][-1]
    assert (last["kernel"], last["output"], last["activation"]) == ([5, 5], [96, 54, 3], None)


def test_an_unknown_job_is_told_with_the_nearest(sheet: Path) -> None:
    result = show(sheet, "carb")
    assert isinstance(result.exception, UsageError)
    assert str(result.exception).endswith("no job 'carb' in this sheet; did you mean 'card'?")


def test_a_sheet_is_shown_without_the_frameworks(sheet: Path) -> None:
    code = (
        "import sys; from multitrain.commands.cli import commands; "
        f"commands(['show', {str(sheet)!r}, 'a', '--workspace', {str(sheet.parent)!r}], "
        "standalone_mode=False); "
        "sys.exit(any(each in sys.modules for each in ('tensorflow', 'keras', 'jax', 'pandas')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_memory_counts_weights_gradients_slots_and_averages(
    tiny_job: Callable[..., JobFile],
) -> None:
    def bytes_per_parameter(**columns: object) -> list[list[float]]:
        networks = layer_table.networks(tiny_job(**columns))
        return [[e.weights / e.layer.parameters for e in each] for each in networks.values()]

    assert bytes_per_parameter() == [[16.0] * 3] * 2
    assert bytes_per_parameter(optimizer_g="sgd", ema=0.5) == [[12.0] * 3, [16.0] * 3]
    assert bytes_per_parameter(freeze_d=1)[1] == [4.0, 16.0, 16.0]


def test_memory_of_a_batch_is_that_of_the_outputs(tiny_job: Callable[..., JobFile]) -> None:
    networks = layer_table.networks(tiny_job(batch_size=7))
    assert networks["generator"][-1].batch == 12 * 9 * 3 * 7 * 4
    assert networks["discriminator"][-1].batch == 7 * 4


@pytest.mark.parametrize(
    ("text", "slots"),
    [("adam(amsgrad=True)", 3), ("sgd(0.9)", 1), ("rmsprop(momentum=0.5, centered=True)", 3)],
)
def test_parameters_of_an_optimizer_may_need_more(text: str, slots: int) -> None:
    assert layer_table.slots(Optimizer.parse(text)) == slots


@pytest.mark.parametrize("name", Optimizer.TABLE)
def test_slots_are_those_that_keras_makes(name: str) -> None:
    import keras
    import numpy as np

    kind = next(each for key, each in vars(keras.optimizers).items() if key.casefold() == name)
    optimizer = kind()
    optimizer.build([keras.Variable(np.zeros((64, 64), "float32"))])
    values = sum(np.prod(variable.shape) for variable in optimizer.variables)
    assert round(values / 64**2) == layer_table.slots(Optimizer(name))
