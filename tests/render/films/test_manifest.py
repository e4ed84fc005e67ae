"""What the manifest tells of how a film was made."""

from __future__ import annotations

import json

import pytest

from jobs.workspace.files import write_text
from render.films import manifest
from render.films.manifest import write_manifest
from render.films.nvenc import NVENC


@pytest.mark.parametrize(
    ("engine", "packages"),
    [("tensorflow", {"tensorflow"}), ("jax", {"jax", "jaxlib"})],
)
def test_versions_are_those_of_the_engine(make_job, monkeypatch, engine, packages):
    monkeypatch.setattr(manifest, "version", lambda package: f"{package} 1.0")
    paths, job = make_job(engine=engine, render_video=False)
    write_manifest(paths, job)
    told = json.loads(paths.manifest.read_text())["versions"]
    assert {*told} == {"multitrain", "keras", "numpy", "ffmpeg", "python"} | packages
    assert all(told[package] == f"{package} 1.0" for package in packages)


def test_what_networks_came_to_in_the_end(make_job):
    paths, job = make_job(render_video=False)
    write_manifest(paths, job)
    assert json.loads(paths.manifest.read_text())["measured"] is None

    lines = [{"step": 4, "measures": {"psnr": 20.5}}, {"step": 8, "measures": {"psnr": 21.5}}]
    write_text(paths.progress, "\n".join(map(json.dumps, [*lines, {"step": 9}])) + "\n")
    write_manifest(paths, job)
    told = json.loads(paths.manifest.read_text())
    assert told["measured"] == {"step": 8, "psnr": 21.5}
    assert told["best"] is None

    for step in (3, 4):
        write_text(paths.best_weights(step), "")
    write_manifest(paths, job)
    assert json.loads(paths.manifest.read_text())["best"] == {"step": 4, "psnr": 20.5}


@pytest.mark.parametrize("encoder", ["nvenc", "x264", None])
def test_the_encoder_is_read_and_not_asked_for(make_job, monkeypatch, encoder):
    def ask(job):
        raise AssertionError("a frame is encoded")

    monkeypatch.setattr(NVENC, "missing", ask)
    paths, job = make_job(encoder="nvenc")
    paths.film().parent.mkdir()
    paths.film().touch()
    if encoder:
        write_text(paths.encoder, json.dumps({"encoder": encoder, "reason": "", "left": []}))
    write_manifest(paths, job)
    assert json.loads(paths.manifest.read_text())["encoder"] == encoder
