"""Where the file goes, of which kind it is, and what writing it takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.errors import UsageError
from multitrain.portable import formats
from multitrain.portable.formats import check_installed, format_for, output_for


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "renders").mkdir()
    (tmp_path / "there.keras").touch()
    (tmp_path / "folder.keras").mkdir()
    for name, file in {"model": "saved_model.pb", "mine": "thesis.txt"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / file).touch()
    return tmp_path


def output(form: str, name: str | None = None, *, force: bool = False) -> str:
    given = Path(name) if name else None
    return str(output_for(form, given, "night", Path("renders"), force=force))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("form", "name", "force", "words"),
    [
        (
            "keras",
            "a.h5",
            False,
            "a.h5 must end in .keras, as keras does; or name another --format",
        ),
        ("savedmodel", "a.onnx", False, "a.onnx would be a folder, as savedmodel is"),
        ("keras", "renders/a.keras", True, "renders/ is for what jobs make"),
        (
            "keras",
            "there.keras",
            False,
            "there.keras is there already; give another name, or --force",
        ),
        ("savedmodel", "model", False, "model is there already"),
        ("keras", "folder.keras", True, "folder.keras is in the way: it is not what keras makes"),
        ("savedmodel", "mine", True, "mine is in the way: it is not what savedmodel makes"),
        ("h5", "away/a.h5", False, "there is no folder"),
    ],
)
def test_a_wrong_output_is_told(form: str, name: str, force: bool, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        output(form, name, force=force)


def test_outputs_have_names_of_their_own_unless_one_is_given() -> None:
    assert output("onnx") == "night.onnx"
    assert output("savedmodel") == "night_savedmodel"
    assert output("keras", "A.KERAS") == "A.KERAS"
    assert output("keras", "there.keras", force=True) == "there.keras"
    assert output("savedmodel", "model", force=True) == "model"


def test_the_suffix_says_the_format_where_none_is_named() -> None:
    named = {"a.h5": "h5", "a.ONNX": "onnx", "a.keras": "keras", "a": "keras"}
    assert {name: format_for(None, Path(name)) for name in named} == named
    assert format_for(None, None) == "keras"
    assert format_for("savedmodel", Path("a.h5")) == "savedmodel"


def test_a_missing_extra_is_told_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda name: None if name == "tf2onnx" else name)
    check_installed("keras")
    with pytest.raises(UsageError, match=r"needs the extra onnx: .*install .*'\.\[onnx\]'"):
        check_installed("onnx")
