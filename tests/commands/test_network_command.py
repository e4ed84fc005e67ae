"""`multitrain network`: wrong calls are told at once, right ones write a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.commands.network import command
from tests.applying.weights import keep_weights
from tests.command_line import frameworks_loaded_by

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture(autouse=True)
def place(
    workspace: Workspace, tiny_job: Callable[..., JobFile], monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """A job that has learnt, and one that has not."""
    monkeypatch.chdir(workspace.root)
    keep_weights(workspace, tiny_job(name="night", nbr_of_layers_g=2, nbr_of_layers_d=2))
    tiny_job(name="fresh").save(workspace.job("fresh"))
    return workspace


def call(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nobody",), "There is no job 'nobody'"),
        (("fresh",), "fresh has no checkpoint; train it first"),
        (("night", "--step", "3"), "night has no weights of step 3; there are those"),
        (("night", "--format", "tflite"), "'tflite' is not one of"),
        (("night", "--network", "decoder"), "night has no network 'decoder' that makes pictures"),
        (("night", "--size", "64x48"), "night is a dcgan, which draws pictures of one size"),
        (("night", "--size", "large"), "'large' is no size such as 1280x720"),
        (("night", "--format", "h5", "-o", "a.keras"), "a.keras must end in .h5, as h5 does"),
        (("night", "-o", "runs"), "runs must end in .keras, as keras does"),
    ],
)
def test_a_wrong_call_is_told(arguments: tuple[str, ...], words: str) -> None:
    before = sorted(Path().rglob("*"))
    result = call(*arguments)
    assert result.exit_code != 0
    assert words in (result.output or str(result.exception))
    assert sorted(Path().rglob("*")) == before


def test_a_wrong_call_loads_no_framework() -> None:
    said, loaded = frameworks_loaded_by("multitrain.commands.network", "night", "--step", "3")
    assert "night has no weights of step 3" in said
    assert loaded == "[]"


def test_a_file_is_replaced_by_force_alone() -> None:
    result = call("night", "-o", "mine.h5")

    assert result.exit_code == 0, result.exception
    assert result.output.splitlines()[:2] == [
        "mine.h5: generator of night (dcgan) at step 4, as the older file of Keras",
        "in: latents (n, 5) float32, each value drawn evenly between -1 and 1",
    ]
    newest = Path("mine.h5").read_bytes()
    assert "mine.h5 is there already" in str(
        call("night", "-o", "mine.h5", "--step", "0").exception
    )
    assert Path("mine.h5").read_bytes() == newest
    assert call("night", "-o", "mine.h5", "--step", "0", "--force").exit_code == 0
    assert Path("mine.h5").read_bytes() != newest
    assert not list(Path().glob(".*")) + list(Path().glob("*.part"))
