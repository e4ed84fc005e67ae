"""`python -m benchmarks`: what it says, its exit codes, and that benchmarks run."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.figures import Effort, Figure
from jobs.errors import MultitrainError

GOOD = Figure("good", 2.0, "x", 1.0, at_least=True)
BAD = Figure("bad", 0.5, "x", 1.0, at_least=True)


def put_in_place(monkeypatch: pytest.MonkeyPatch, figure: Figure) -> None:
    monkeypatch.setattr(command, "measure", lambda name, effort: [figure])


@pytest.mark.parametrize("name", command.BENCHMARKS)
def test_every_benchmark_is_there(name: str) -> None:
    assert find_spec(f"benchmarks.{name}")


def test_the_list_names_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    *lines, all_of_them = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(command.BENCHMARKS)
    assert all(re.search(r" about \d+ min ", line) for line in lines)
    assert re.fullmatch(r"all of them +about \d+ min", all_of_them)


def test_a_round_of_all_of_them_takes_twenty_minutes_at_most() -> None:
    assert command.minutes(command.USUAL, 1) <= 20


def test_how_long_it_takes_is_said_beforehand(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = type("", (), {"measure": staticmethod(lambda effort: [GOOD])})
    monkeypatch.setattr(command, "import_module", lambda name: module)
    command.main(["frame_path", "--repetitions", "20"])
    in_all, begins, took = capsys.readouterr().err.splitlines()
    expected = command.told(command.minutes(["frame_path"], 20))
    assert in_all == f"{expected} in all"
    assert begins == f"frame_path … ({expected})"
    assert took == "frame_path: took 0.0 min"


@pytest.mark.parametrize("arguments", [["mergign"], ["--repetitions", "0"]])
def test_a_wrong_call_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize(("figure", "code"), [(GOOD, 0), (BAD, 1)])
def test_a_figure_that_misses_its_limit_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, figure: Figure, code: int
) -> None:
    put_in_place(monkeypatch, figure)
    assert command.main(["merging", "gaps"]) == code


def test_no_limit_counts_where_it_was_quick(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_in_place(monkeypatch, BAD)
    assert command.main(["merging", "--quick"]) == 0
    assert "NO" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MultitrainError("PyTorch is missing"), "training: PyTorch is missing"),
        (ValueError("no number\nat all"), "training: ValueError: no number"),
        (AssertionError(), "training: AssertionError: "),
    ],
)
def test_what_cannot_be_measured_is_told_and_the_rest_goes_on(
    error: Exception,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def measure(effort: Effort) -> list[Figure]:
        raise error

    class Modules:
        training = type("", (), {"measure": staticmethod(measure)})
        merging = type("", (), {"measure": staticmethod(lambda effort: [GOOD])})

    monkeypatch.setattr(
        command, "import_module", lambda name: getattr(Modules, name.removeprefix("benchmarks."))
    )
    assert command.main(["training", "merging"]) == 1
    told = capsys.readouterr()
    assert said in told.err.splitlines()
    assert "| good" in told.out


def test_what_was_measured_is_kept_when_the_rest_is_broken_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def measure(name: str, effort: Effort) -> list[Figure]:
        if name == "gaps":
            raise KeyboardInterrupt
        return [GOOD]

    monkeypatch.setattr(command, "measure", measure)
    file = tmp_path / "results.json"
    with pytest.raises(KeyboardInterrupt):
        command.main(["merging", "gaps", "--json", str(file)])
    assert list(json.loads(file.read_text())["figures"]) == ["merging"]


@pytest.mark.parametrize("name", ["merging", "frame_path", "snapshots"])
def test_a_benchmark_runs(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rest needs PyTorch or the better part of a minute."""
    file = tmp_path / "results.json"
    assert command.main([name, "--quick", "--json", str(file)]) == 0
    results = json.loads(file.read_text())
    assert results["quick"] is True
    figures = results["figures"][name]
    assert figures
    said = capsys.readouterr().out
    for figure in figures:
        assert f"| {figure['name']}" in said
        assert figure["limit"] is None
