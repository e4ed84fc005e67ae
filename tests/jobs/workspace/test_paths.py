"""Files come to exist only whole, whatever happens while they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.workspace.files import atomic_write, listing, part_of, present, write_text
from jobs.workspace.paths import CheckpointName, Workspace


def test_a_file_appears_whole_and_its_part_is_gone(workspace: Workspace) -> None:
    path = workspace.renders / "deep" / "film.mp4"
    with atomic_write(path) as part:
        part.write_bytes(b"half")
        assert not path.exists()
        part.write_bytes(b"whole")
    assert path.read_bytes() == b"whole"
    assert listing(path.parent) == ["film.mp4"]


def write_half_and_fail(path: Path, error: type[BaseException]) -> None:
    with atomic_write(path) as part:
        part.write_bytes(b"half")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_no_part(
    workspace: Workspace, error: type[BaseException]
) -> None:
    path = workspace.root / "film.mp4"
    path.write_bytes(b"old")
    with pytest.raises(error):
        write_half_and_fail(path, error)
    assert path.read_bytes() == b"old"
    assert listing(workspace.root) == ["film.mp4"]


def test_a_writer_that_wrote_nothing_is_an_error(workspace: Workspace) -> None:
    path = workspace.root / "film.mp4"
    with pytest.raises(FileNotFoundError), atomic_write(path):
        pass
    assert not path.exists()


def test_a_stale_part_is_no_obstacle(workspace: Workspace) -> None:
    path = workspace.root / "job.yaml"
    part_of(path).write_text("left by a power cut")
    write_text(path, "é\n")
    assert path.read_text(encoding="utf-8") == "é\n"
    assert listing(workspace.root) == ["job.yaml"]


def test_a_missing_folder_lists_as_empty(tmp_path: Path) -> None:
    assert listing(tmp_path / "none") == []


def test_checkpoints_are_listed_oldest_first_and_strangers_passed_over(
    workspace: Workspace,
) -> None:
    paths = workspace.job("a")
    paths.checkpoints.mkdir(parents=True)
    names = [CheckpointName(500, 1000), CheckpointName(20, 40)]
    for name in names:
        paths.checkpoint(name).touch()
    for stranger in ("000000001-000000002.h5.part", "best.h5", "1-2.h5"):
        (paths.checkpoints / stranger).touch()
    assert paths.checkpoint_names() == sorted(names)


def test_outputs_are_named_as_users_know_them(workspace: Workspace) -> None:
    paths = workspace.job("night")
    assert paths.film().name == "night.mp4"
    assert paths.film(2).name == "night_box0002.mp4"
    assert paths.timecut(1).name == "night_timecut0001.mp4"
    assert paths.timecut(12, 3).name == "night_timecut0012_box0003.mp4"
    assert paths.timecut(2, 1, ".mov").name == "night_timecut0002_box0001.mov"
    assert {paths.film().parent, paths.timecut(1).parent} == {workspace.renders}


@pytest.mark.parametrize("some", [0, 100], ids=["listed", "looked for"])
def test_names_are_found_in_a_folder(
    some: int, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.workspace.files.SOME", some)
    folder, names = workspace.renders, ["a.mp4", "broken", "gone.mp4"]
    assert present(folder, names) == set()
    folder.mkdir()
    for name in ("a.mp4", "other.mp4"):
        (folder / name).touch()
    (folder / "broken").symlink_to("nowhere")
    assert present(folder, names) == {"a.mp4", "broken"}
    assert present(folder / "a.mp4", names) == set()
