"""Files are loaded by what the page says, in processes that know nothing of multitrain."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import onnx
import pytest
from PIL import Image

from multitrain.portable.formats import output_for
from multitrain.portable.plain import plain_network
from multitrain.portable.writing import write
from tests.applying.weights import noise
from tests.portable.conftest import Ask
from tests.portable.test_plain import far, ours

PAGE = (Path(__file__).parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")
KERAS, TENSORFLOW, ONNX, ONNX_OF_PICTURES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
LATENTS = np.random.default_rng(1).uniform(-1, 1, (4, 100)).astype("float32")

ALONE = """
import os, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("multitrain", "jobs", "render", "tests"):
            raise ImportError(f"{name} is ours")

sys.meta_path.insert(0, Refuse())
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def taken_away(ask_learnt: Ask, form: str, **columns: object) -> tuple[Path, np.ndarray]:
    """The file, and what our own network makes of what the page gives it."""
    asked = ask_learnt(form, **columns)
    asked.check()
    moments = asked.moments()
    output = output_for(form, None, asked.title, Path("renders"), force=False)  # type: ignore[arg-type]
    about = "\n".join(asked.told(moments))
    write(asked.form, plain_network(asked, moments.load(0)), about, output)
    given = noise(1, 48, 64, 3) if asked.application else LATENTS
    if asked.application:
        Image.fromarray(given[0]).save("photo.png")
    return output, ours(asked, given)


def levels_by(code: str) -> np.ndarray:
    """What the code makes in a process of its own."""
    script = f"{ALONE}{code}\nnp.save('levels.npy', levels)"
    call = [sys.executable, "-P", "-W", "ignore", "-c", script]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return np.load("levels.npy")


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ("keras", KERAS),
        ("h5", KERAS.replace(".keras", ".h5")),
        ("savedmodel", TENSORFLOW),
        ("onnx", ONNX),
    ],
)
def test_it_draws_the_same_without_us(ask_learnt: Ask, form: str, code: str) -> None:
    output, wanted = taken_away(ask_learnt, form, z_dim=100)
    assert far(levels_by(code), wanted) <= 1
    assert about(output).splitlines()[1].startswith("in: latents (n, 100) float32")
    assert sorted(each.name for each in Path().iterdir()) == sorted([output.name, "levels.npy"])


def test_it_makes_the_same_of_pictures_of_another_size(ask_learnt: Ask) -> None:
    _, wanted = taken_away(ask_learnt, "onnx", name="paint", family="pix2pix", downs=3, gf_dim=3)
    assert far(levels_by(ONNX_OF_PICTURES), wanted) <= 1


def about(output: Path) -> str:
    """The text in the file on what goes in and comes out."""
    match output.suffix:
        case ".keras":
            return zipfile.ZipFile(output).read("README.txt").decode()
        case ".h5":
            with h5py.File(output) as file:
                return str(file.attrs["about"])
        case ".onnx":
            (entry,) = onnx.load(output).metadata_props
            return entry.value
    return (output / "README.txt").read_text(encoding="utf-8")


def test_the_page_names_every_format() -> None:
    assert re.findall(r"(?m)^\| `(\w+)`", PAGE) == ["keras", "h5", "savedmodel", "onnx"]
