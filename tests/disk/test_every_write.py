"""Every write finds the disk full: nothing is lost, and what comes out later is as ever."""

from __future__ import annotations

import gc
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.workspace.disk import means_full
from jobs.workspace.files import PART
from jobs.workspace.paths import Workspace
from render.spool.spool import BATCH
from tests.disk.full_disk import FullDisk, Place
from tests.disk.scenes import SCENES, Scene, outcome
from tests.disk.write_sites import all_sites

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc what is being written")

MOST_WRITES = 1000  # a scene with more never ends

reached: dict[str, list[Place]] = {}  # by scene


@pytest.fixture(params=SCENES, ids=lambda scene: scene.name)
def scene(request: pytest.FixtureRequest) -> Scene:
    return request.param


@pytest.fixture
def sets(
    scene: Scene, tmp_path: Path, short_batches: None, remembered_runs: None
) -> Iterator[Workspace]:
    """Workspaces in which the scene can begin, one after the other, without end."""
    first = tmp_path / "set"
    first.mkdir()
    scene.prepare(Workspace(first))
    gc.freeze()  # what is imported stays, and a scene may collect garbage at each showing

    def copies() -> Iterator[Workspace]:
        for _ in range(MOST_WRITES):
            copy = tmp_path / "copy"  # always the same, so that ffmpeg's runs are remembered
            shutil.copytree(first, copy)
            yield Workspace(copy)
            shutil.rmtree(copy)

    return copies()


@pytest.mark.parametrize("stays", [False, True], ids=["for a moment", "for good"])
def test_a_full_disk_costs_nothing(
    scene: Scene,
    sets: Iterator[Workspace],
    stays: bool,
    long: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At each write, if the tests may be long; else at the last one by each way: by then, most is
    there that can be lost.
    """
    undisturbed = next(sets)
    scene.play(undisturbed)
    expected = outcome(undisturbed)
    assert half_made(undisturbed) == []
    disk = FullDisk(undisturbed.root, nth=0)
    assert play(scene, next(sets), disk) is None  # by now, runs of ffmpeg are remembered
    assert disk.ways, "nothing was written"
    places = reached.setdefault(scene.name, [])
    any_way = ((None, number) for number in range(1, MOST_WRITES))
    kinds = any_way if long else disk.ways.items()
    for (way, number), workspace in zip(kinds, sets, strict=False):
        disk = FullDisk(workspace.root, number, way=way, stays=stays)
        raised = play(scene, workspace, disk)
        if not disk.failed and long:
            break
        if not disk.failed:  # a thread went another way this time
            continue
        places += disk.failed
        told = f"write {number}, {disk.failed[0]}"
        assert raised is None or means_full(raised), told
        assert stays or raised is None or not scene.outlives, told
        assert half_made(workspace) == [], told
        assert "failed, try" not in caplog.text, told
        if stays or not scene.outlives:
            scene.play(workspace)
        assert outcome(workspace) == expected, told


def half_made(workspace: Workspace) -> list[Path]:
    """Temporary files, but for what is gone on with: a trainer's unfinished batch, a download."""
    parts = workspace.root.rglob(f"*{PART}")
    return [
        part
        for part in parts
        if not part.name.endswith(f"{BATCH}{PART}") and workspace.downloads not in part.parents
    ]


def play(scene: Scene, workspace: Workspace, disk: FullDisk) -> Exception | None:
    """What a showing on this disk raises."""
    try:
        with disk:
            scene.play(workspace)
    except Exception as error:
        return error
    return None


# Calls that look like those that write, and need no room on a disk.
ELSEWHERE = {
    "jobs/reference.py: sys.stdout.write": "a page for whoever asks",
    "multitrain/weights/checkpoints.py: h5py.File": "a file in memory",
    "multitrain/weights/checkpoints.py: image.write": "the same file in memory",
    "multitrain/commands/cli.py: os.open": "opens /dev/null",
    "jobs/workspace/files.py: os.link": "where that fails, files are copied",
    "jobs/workspace/locks.py: os.open": "opens what is there; the one that makes a file is reached",
    "multitrain/datasets/cached/picture_file.py: h5py.File": "a file in memory",
    "multitrain/datasets/cached/picture_file.py: tempfile.TemporaryFile": "where memory has none",
    "multitrain/datasets/web/downloading.py: tempfile.TemporaryDirectory": "the system's folder",
    "multitrain/engine/tensorflow/session.py: frames.write": "an array in memory",
    "multitrain/executors/local.py: self._popen.stdin.write": "a pipe",
    "multitrain/commands/long_tables.py: console.file.writelines": "a table for whoever asks",
    "multitrain/commands/clips/enlarge.py: folder.mkdir": "it is told, and nothing has begun",
    "multitrain/commands/serve.py: place.runs.mkdir": "it is told, and nothing has begun",
    "multitrain/serving/clips.py: self._night.workspace.clips.mkdir": "it is told on the page",
    "multitrain/serving/stars.py: self._path.parent.mkdir": "it is there: the server has made it",
    "multitrain/serving/sheets.py: tempfile.TemporaryDirectory": "the system's folder",
    "multitrain/serving/sheets.py: path.write_bytes": "the same folder",
    "multitrain/trainer/training.py: self._writer.write": "the spool's, which are reached",
    "multitrain/inference/starting.py: os.open": "opens /dev/null",
    "multitrain/applying/making.py: sink.write": "a pipe",
    "multitrain/codec/files.py: sink.write": "a pipe",
    "multitrain/codec/files.py: writer.write": "the stream's, which are reached",
    "multitrain/codec/line.py: self.receiver.write": "a pipe",
    "multitrain/codec/receiver.py: self._input.write": "a pipe",
    "multitrain/codec/receiver.py: output.write": "a pipe",
    "multitrain/codec/receiver.py: os.open": "opens /dev/null",
    "multitrain/codec/sending.py: self.writer.write": "the stream's, which are reached",
    "multitrain/codec/sources.py: self._recorder.write": "the recording's, which are reached",
    "multitrain/codec/recording.py: self._sink.write": "a pipe",
    "multitrain/codec/baselines.py: sink.write": "a pipe",
    "multitrain/codec/baselines.py: Image.fromarray": "a file in memory",
    "multitrain/codec/baselines.py: tempfile.TemporaryDirectory": "the system's folder",
    "multitrain/datasets/decoded/compressing.py: sink.write": "a pipe",
    "multitrain/walking/making.py: sink.write": "a pipe",
    "render/clips/comparing.py: tempfile.TemporaryDirectory": "the same folder",
    "render/clips/chaining.py: sink.write": "a pipe",
    "render/clips/exporting.py: sink.write": "a pipe",
    "render/worker/doorbell.py: os.write": "a pipe",
    "render/encoding/ffmpeg.py: frame.write_bytes": "a file in memory, where the system has such",
    "render/encoding/ffmpeg.py: tempfile.TemporaryDirectory": "only where it has not",
    "render/encoding/ffmpeg.py: tempfile.TemporaryFile": "only where it has not",
    "render/clips/looping.py: sink.write": "a pipe",
    "render/films/nvenc.py: frame.write_bytes": "a file in memory, where the system has such",
    "render/spool/spool.py: paths.run.mkdir": "it is there: the job file lies in it",
    "render/encoding/children.py: os.write": "a pipe",
    "render/encoding/dpx.py: path.open": "writes over what is there",
    "render/encoding/streaming.py: os.write": "a pipe",
}


def test_no_write_is_left_out() -> None:
    if reached.keys() != {scene.name for scene in SCENES}:
        pytest.skip("needs the tests above")
    places = {place for some in reached.values() for place in some}
    missed = [site for site in all_sites() if not any(map(site.holds, places))]
    new = [str(site) for site in missed if site.key not in ELSEWHERE]
    assert not new, "\n".join(["no scene fills the disk at these:", *new])
    assert ELSEWHERE.keys() <= {site.key for site in missed}, "these are reached by now, or gone"
