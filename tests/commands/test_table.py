"""`multitrain table` as a user calls it: which rows in which order, and what is said."""

from __future__ import annotations

import csv
import json
import math
import re
from dataclasses import replace
from urllib.parse import unquote

import pytest
from click.testing import CliRunner

from jobs.errors import UsageError
from jobs.settings.spec import COLUMNS, JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.measures import Measures
from jobs.workspace.states import State
from jobs.workspace.store import create, new_row
from multitrain.commands.cli import commands
from multitrain.commands.table.columns import (
    APPLIED,
    AT_STEP,
    FILM,
    MOST_SETTINGS,
    NAME,
    SETTINGS,
    STATE,
    TRAINED,
)
from multitrain.commands.table.results import TIME, Result, Videos, ordered, training_seconds
from tests.footage import write_video

CODER = {"family": "autoencoder", "dataset": "demo", "grid_width": 1, "grid_height": 1}
GAN = {"dataset": "demo", "grid_width": 1, "grid_height": 1}


@pytest.fixture
def make_job(workspace):
    """`make_job(name, measures, **columns)`: one of ten steps, measured at each of these."""

    def make(name, measures=(), steps=10, best=None, **columns):
        spec = JobSpec.model_validate({**CODER, "name": name, "steps": 10, **columns})
        paths = workspace.job(name)
        JobFile(spec=spec, image_width=32, image_height=32).save(paths)
        lines = [{"time": 100, "step": 5, "frame": 5, "steps_per_second": 0.5}]
        for step, values in measures:
            lines.append({"time": 110, "step": step, "frame": step, "measures": values})
        lines.append({"time": 900, "step": steps, "frame": steps, "steps_per_second": 2})
        paths.progress.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        if best is not None:
            paths.kept.mkdir()
            paths.best_weights(best).touch()
        return paths

    return make


@pytest.fixture
def table(workspace):
    """`table(*arguments)`: what is printed; what is wrong is raised."""

    def call(*arguments):
        done = CliRunner().invoke(
            commands, ["table", *arguments, "--workspace", str(workspace.root)],
            catch_exceptions=True,
        )  # fmt: skip
        if isinstance(done.exception, UsageError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    return call


def sheet(workspace, table, *arguments):
    """The same as rows of a CSV file."""
    file = workspace.root / "table.csv"
    table(*arguments, "-o", str(file), "--force")
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_rows_have_what_differs_and_the_best_come_first(workspace, table, make_job):
    shared = {"validation": "10%", "input_noise": 3.0}
    make_job("few", [(5, {"psnr": 21.5, "bytes": 90.0})], latent_channels=2, **shared)
    make_job("many", [(5, {"psnr": 23.25, "bytes": 400.0})], latent_channels=8, **shared)
    make_job("never", latent_channels=4, input_noise=3.0)
    make_job("soon", steps=5, latent_channels=4, **shared)
    rows = sheet(workspace, table)
    assert [row["job"] for row in rows] == ["many", "few", "never", "soon"]
    assert [row["latent_channels"] for row in rows] == ["8", "2", "4", "4"]
    assert [row["validation"] for row in rows] == ["10%", "10%", "", "10%"]
    assert [row["psnr"] for row in rows] == ["23.25", "21.50", "no validation", "not yet"]
    assert {"input_noise", "family", "dataset", "film", "state"}.isdisjoint(rows[0])
    rows = sheet(workspace, table, "--by", "bytes")
    assert [row["job"] for row in rows] == ["few", "many", "never", "soon"]
    assert [row["bytes"] for row in rows] == ["90", "400", "no validation", "not yet"]
    assert [row["psnr"] for row in rows] == ["21.50", "23.25", "", ""]
    assert [row["job"] for row in sheet(workspace, table, "never", "few", "never")] == [
        "few",
        "never",
    ]


def test_measures_are_those_of_the_best_weights(workspace, table, make_job):
    measures = [(5, {"psnr": 25.0}), (10, {"psnr": 24.0})]
    make_job("kept", measures, best=5, validation="10%")
    make_job("last", measures, validation="10%", keep_best="none")
    rows = json.loads(table("--json"))
    assert [(row["name"], row["measured"], row["is_best"]) for row in rows] == [
        ("kept", {"step": 5, "psnr": 25.0}, True),
        ("last", {"step": 10, "psnr": 24.0}, False),
    ]
    assert [row["settings"] for row in rows] == [{"keep_best": "psnr"}, {"keep_best": "none"}]
    assert [row["at step"] for row in sheet(workspace, table)] == ["5", "10"]
    assert "at step" not in sheet(workspace, table, "last")[0]


def test_what_is_left_of_a_job_is_its_manifest(workspace, table, make_job):
    paths = make_job("gone")
    spec = JobFile.read(paths).spec.model_dump(mode="json")
    told = {"measured": {"step": 10, "psnr": 20.0}, "best": None, "width": 32, "height": 32}
    workspace.renders.mkdir()
    paths.manifest.write_text(json.dumps({"spec": spec, **told}))
    paths.job_file.unlink()
    paths.progress.unlink()
    (row,) = json.loads(table("--json"))
    assert (row["measured"], row["steps_done"]) == ({"step": 10, "psnr": 20.0}, 10)
    assert row["seconds"] is None


def test_time_is_that_of_steps_alone(workspace, table, make_job):
    paths = make_job("night")
    assert training_seconds(paths.progress) == 5 / 0.5 + 5 / 2
    assert training_seconds(workspace.root / "none") == 0
    paths.progress.write_text(paths.progress.read_text() + '{"step": 11, "steps_per_sec')
    assert training_seconds(paths.progress) == 12.5
    (row,) = sheet(workspace, table, "--by", "time")
    assert (row["time"], row["trained"]) == ("0:00:12", "10")


def test_families_beside_each_other_have_only_what_they_know(workspace, table, make_job):
    make_job("codec", latent_channels=3)
    make_job("gan", **GAN, family="dcgan", z_dim=7, steps=4)
    rows = {row["job"]: row for row in sheet(workspace, table)}
    told = {"family", "learning_rate_g"}
    assert told <= {*rows["codec"]}
    assert {"latent_channels", "z_dim", "optimizer_d", "psnr"}.isdisjoint(rows["codec"])
    assert (rows["gan"]["family"], rows["gan"]["trained"]) == ("dcgan", "4/10")


def test_of_many_settings_each_row_tells_what_is_unusual(workspace, table, make_job):
    columns = {f"{name}_{net}": value for name, value in {
        "learning_rate": 0.5, "beta1": 0.25, "schedule": "cosine", "dropout": 0.5,
        "noise": 0.5,
    }.items() for net in "gd"}  # fmt: skip
    assert len(columns) > MOST_SETTINGS
    for name in "ab":
        make_job(name, **GAN, family="dcgan")
    make_job("wild", **GAN, family="dcgan", **columns)
    rows = {row["job"]: row[SETTINGS] for row in sheet(workspace, table)}
    assert rows["a"] == rows["b"] == ""
    assert rows["wild"].split(", ")[:2] == ["dropout_g 0.5", "dropout_d 0.5"]
    assert "schedule_g cosine" in rows["wild"]


def test_videos_stand_beside_their_rows(workspace, table, make_job):
    make_job("done")
    make_job("half", steps=5)
    workspace.renders.mkdir()
    write_video(workspace.renders / "done.mp4", 3, fps=60)
    for name in ("half_timecut0001.mp4", "half_timecut0002.mp4", "done_applied0001.mp4"):
        write_video(workspace.renders / name, 2, fps=60)
    rows = {row["job"]: (row["film"], row["applied"]) for row in sheet(workspace, table)}
    assert rows == {
        "done": ("renders/done.mp4", "renders/done_applied0001.mp4"),
        "half": ("renders/half_timecut0002.mp4", ""),
    }
    file = workspace.root / "pages" / "table.html"
    file.parent.mkdir()
    assert table("-o", str(file)).strip() == str(file)
    text = file.read_text()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert [(file.parent / unquote(each)).resolve().name for each in addresses] == [
        "done.mp4",
        "done_applied0001.mp4",
        "half_timecut0002.mp4",
    ]
    assert all((file.parent / unquote(each)).is_file() for each in addresses)
    assert text.count('poster="data:image/jpeg;base64,/9j/') == 2


def test_names_are_no_markup(workspace, table, make_job):
    make_job("a&b [red]c")
    table("-o", str(workspace.root / "table.html"))
    text = (workspace.root / "table.html").read_text()
    assert "<td>a&amp;b [red]c</td>" in text
    assert "a&b [red]c" in table()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mamy"], "There is no job 'mamy' in "),
        (["waiting"], "waiting has not begun, so there is nothing to tell of it yet"),
        (["--by", "psnt"], "--by must be one of psnr, bytes, time, not 'psnt'; did you mean"),
        (["plain", "--by", "psnr"], "none of these jobs has 'psnr': nothing is measured without"),
        (["-o", "table.txt"], "table.txt must end in .html, a page to look at, or .csv"),
        (["-o", "table.csv", "--json"], "--json is for the terminal; leave it out, or -o"),
    ],
)  # fmt: skip
def test_what_cannot_be_told(workspace, table, make_job, arguments, said):
    make_job("many", [(5, {"psnr": 23.25, "bytes": 400.0})], validation="10%")
    make_job("plain")
    create(workspace.store, [new_row("waiting", 9)])
    with pytest.raises(UsageError) as raised:
        table(*arguments)
    assert str(raised.value).startswith(said)


def test_a_table_replaces_nothing_unasked(workspace, table, make_job):
    make_job("plain")
    file = workspace.root / "table.csv"
    file.write_text("mine")
    with pytest.raises(UsageError, match="is there already; give another name, or --force"):
        table("-o", str(file))
    assert file.read_text() == "mine"


def test_an_empty_workspace_has_nothing_to_choose_from(workspace, table):
    with pytest.raises(UsageError, match="no job has begun in "):
        table()


def test_of_all_jobs_those_that_cannot_be_read_are_left_out(workspace, table, make_job):
    make_job("good")
    make_job("bad").job_file.write_text("{")
    assert [row["name"] for row in json.loads(table("--json"))] == ["good"]
    with pytest.raises(UsageError, match="is damaged or of another version"):
        table("bad")


def test_states_are_told_where_not_all_is_done(workspace, table, make_job):
    make_job("a")
    make_job("b")
    done = [replace(new_row(name, 9), state=State.DONE) for name in "ab"]
    create(workspace.store, done)
    assert "state" not in sheet(workspace, table)[0]
    workspace.store.unlink()
    create(workspace.store, [done[0], replace(done[1], state=State.FAILED)])
    assert [row["state"] for row in sheet(workspace, table)] == ["", "failed"]


def result(name: str, **values: float) -> Result:
    spec = JobSpec.model_validate({**CODER, "name": name, "steps": 1})
    return Result(spec, "", 1, 1, 0.0, Measures(1, values), is_best=False, videos=Videos())


def test_numbers_that_are_none_come_last() -> None:
    found = [
        result("nan", psnr=math.nan),
        result("low", psnr=3.0),
        result("none"),
        result("perfect", psnr=math.inf),
        result("as low", psnr=3.0),
    ]
    order = [each.name for each in ordered(found, "psnr")]
    assert order == ["perfect", "low", "as low", "nan", "none"]


def test_no_setting_is_called_as_another_column() -> None:
    own = {APPLIED, AT_STEP, FILM, NAME, SETTINGS, STATE, TIME, TRAINED}
    assert own.isdisjoint(COLUMNS)
