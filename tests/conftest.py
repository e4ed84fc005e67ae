"""How much of the tests is run; and fixtures for every room, such as a workspace whose folder has a
hostile name.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image

from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from tests import fast
from tests.times import Times

HOSTILE_NAME = 'l\'été 50 % "$HOME" [%03d] #1'

MakePictures = Callable[..., list[Path]]

ON_JAX = os.environ.get("KERAS_BACKEND") == "jax"

CASES, CASES_IF_LONG = 300, 10_000  # of each fuzzer
SECONDS_IF_LONG = 3600

# Many tests compile a tiny network and run it for a few steps. Only what this process compiles is
# affected: trainers drop such flags.
QUICK_COMPILER = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("multitrain")
    group.addoption("--fast", action="store_true", help="no framework, no process, no ffmpeg")
    group.addoption("--long", action="store_true", help="all there is, as before a release")
    group.addoption("--times", action="store_true", help="tell processor seconds by folder")


def pytest_configure(config: pytest.Config) -> None:
    long = config.getoption("--long")
    settings.register_profile(
        "fuzzers",
        max_examples=CASES_IF_LONG if long else CASES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("fuzzers")
    if not long:
        os.environ.setdefault("XLA_FLAGS", QUICK_COMPILER)
    if config.getoption("--fast"):
        if long:
            raise pytest.UsageError("--fast and --long: one or the other")
        if config.getoption("dist", "no") == "no":  # else the processes that it starts will
            fast.watch()
        # What a test had opened that was skipped in the middle is closed when it is met as garbage.
        config.addinivalue_line("filterwarnings", "ignore::ResourceWarning")
    if config.getoption("--times"):
        config.pluginmanager.register(Times())


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With --fast, some folders and files are not even looked into."""
    slow = config.getoption("--fast") and collection_path.name in fast.SLOW_PLACES
    return True if slow else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(SECONDS_IF_LONG))
        return
    left_out = {"long", "long_on_jax"} if ON_JAX else {"long"}
    long = [item for item in items if any(map(item.get_closest_marker, left_out))]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in set(long)]


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether all there is was asked for (`--long`)."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def cases(long: bool) -> int:
    """Of a fuzzer that draws by itself."""
    return CASES_IF_LONG if long else CASES


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace in a folder with spaces, quotes, a percent sign and accents."""
    root = tmp_path / HOSTILE_NAME
    root.mkdir()
    return Workspace(root)


@pytest.fixture
def paths(workspace: Workspace) -> JobPaths:
    """Of a job of that name."""
    return workspace.job("job")


@pytest.fixture
def make_pictures() -> MakePictures:
    """`make_pictures(folder, count=4, size=(16, 12), suffix=".png")` writes RGB noise.

    `size` is (width, height) in pixels. The files are `picture_000.png` and so on; the same call
    makes the same pictures.
    """

    def make(
        folder: Path, count: int = 4, size: tuple[int, int] = (16, 12), suffix: str = ".png"
    ) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(0)
        paths = [folder / f"picture_{number:03d}{suffix}" for number in range(count)]
        for path in paths:
            noise = random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
            Image.fromarray(noise).save(path)
        return paths

    return make


WIDTH, HEIGHT = 12, 9

TINY = {
    "name": "tiny",
    "dataset": "demo",
    "grid_width": 3,
    "grid_height": 2,
    "video_length": 1,
    "nbr_of_layers_g": 3,
    "nbr_of_layers_d": 3,
    "gf_dim": 4,
    "df_dim": 4,
    "z_dim": 5,
    "k_w": 3,
    "k_h": 3,
    "precision": "float32",
    "engine": os.environ.get("KERAS_BACKEND", "tensorflow"),  # what this process can train with
}


@pytest.fixture
def tiny_job() -> Callable[..., JobFile]:
    """`tiny_job(width=12, height=9, **columns)`: a DCGAN of a few hundred weights.

    `loaded`, as in a `JobFile`, is for parts that are cut out of larger pictures.
    """

    def make(
        width: int = WIDTH, height: int = HEIGHT, loaded: str | None = None, **columns: object
    ) -> JobFile:
        spec = JobSpec.model_validate({**TINY, **columns})
        return JobFile(spec=spec, image_width=width, image_height=height, loaded=loaded)

    return make


@pytest.fixture
def few_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ppon has hundreds of them, which take minutes to trace; now, its blocks are narrow."""
    monkeypatch.setattr("jobs.families.ppon.layers.DILATIONS", range(1, 3))


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """`noise(job, count=7)`: pictures `(count, height, width, channels)` uint8."""

    def make(job: JobFile, count: int = 7) -> np.ndarray:
        width, height = job.loaded_size
        size = (count, height, width, job.plan.channels)
        return np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)

    return make
