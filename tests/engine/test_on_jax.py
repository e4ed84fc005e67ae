"""What only a process whose Keras runs on JAX can test, in one; and that both engines agree."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import MultitrainError
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import only
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session

MakeJob = Callable[..., JobFile]

TESTS = Path(__file__).parents[1]
SUITES = {
    **{path.stem: [path] for path in sorted((TESTS / "engine" / "jax").glob("test_*.py"))},
    "sessions": [
        TESTS / "families" / "test_session_contract.py",
        TESTS / "families" / "test_session_contract_on_two_devices.py",
        TESTS / "engine" / "test_sessions.py",
        TESTS / "engine" / "test_step.py",
        TESTS / "engine" / "test_misfits.py",
    ],
    "dcgan": [TESTS / "families" / "test_dcgan.py"],
    "fastgan": [TESTS / "families" / "test_fastgan.py"],
    "pix2pix": [TESTS / "families" / "test_pix2pix.py"],
    "cyclegan": [TESTS / "families" / "test_cyclegan.py"],
    "cartoon": [TESTS / "families" / "test_cartoon.py"],
    "networks": [
        TESTS / "networks" / f"test_{name}.py"
        for name in (
            "activations",
            "augmentation",
            "building",
            "colours",
            "convolutions",
            "degrading",
            "distances",
            "excitation",
            "initializers",
            "making",
            "normalization_kinds",
            "perception",
            "regularization",
            "resizing",
            "spaces",
            "spectral",
            "superpixels",
            "taps",
            "transposed",
            "upsampling",
            "warping",
            "windows",
        )
    ],
    "losses": [TESTS / "networks" / "test_losses.py"],
    "learning": [
        TESTS / "engine" / "test_optimizers.py",
        TESTS / "engine" / "test_motion.py",
        TESTS / "families" / "test_learning.py",
        TESTS / "families" / "test_translation_learns.py",
    ],
    "superres": [TESTS / "families" / "test_superres.py", TESTS / "applying" / "test_enlarging.py"],
    "autoencoder": [
        TESTS / "families" / "test_autoencoder.py",
        TESTS / "families" / "test_autoencoder_remembers.py",
    ],
    "ppon": [TESTS / "families" / "test_ppon.py"],
    "inbetween": [TESTS / "families" / "test_inbetween.py"],
    "windows": [
        TESTS / "engine" / "test_windows.py",
        TESTS / "engine" / "test_pictures.py",
        TESTS / "families" / "test_random_crops.py",
    ],
    "walks": [TESTS / "walking" / "test_sampler.py", TESTS / "walking" / "test_making_walks.py"],
    "applying": [TESTS / "applying" / "test_translator.py"],
    "tinkering": [TESTS / "families" / "test_tinkering.py"],
}


OnJax = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def on_jax(tmp_path_factory: pytest.TempPathFactory) -> OnJax:
    """`on_jax(*arguments)`: Python with these arguments, in a process of its own."""
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        # Many tests compile the same tiny networks.
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("compiled")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            cwd=TESTS.parent,
        )

    return run


@pytest.mark.timeout(7200)  # they compile a lot
@pytest.mark.parametrize("suite", SUITES)
def test_suites(suite: str, on_jax: OnJax, long: bool) -> None:
    """Without `--long`, those that are marked `long_on_jax` are left out there, too."""
    options = ["-p", "no:cacheprovider", *(["--long"] if long else [])]
    done = on_jax("-m", "pytest", *options, *SUITES[suite])
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


SAMPLES = """
import sys
from pathlib import Path
import numpy as np
from jobs.workspace.jobfile import JobFile
from multitrain.engine.adopting import starting_weights
from multitrain.engine.feeds import only
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session

job = JobFile.model_validate_json(Path(sys.argv[1]).read_text())
pictures = np.zeros((1, job.image_height, job.image_width, 3), np.uint8)
session = open_session(job, only(pictures), SessionSettings())
state = dict(np.load(sys.argv[2]))
session.adopt(starting_weights(state, "dcgan"), fitting=False)
generator = session._model.networks["generator"]
for variable in generator.variables:
    variable.assign(session.state()[f"generator/{variable.path}"])
np.save(sys.argv[3], np.asarray(generator(state["latents"], training=False)))
"""


@pytest.mark.parametrize("size", [(12, 9), (31, 17), (16, 16)], ids=str)
# Root mean squares, of samples between -1 and 1. In bfloat16 the engines agree to 1e-7 where
# oneDNN serves TensorFlow's convolutions; on processors without AVX-512 (and with
# TF_ENABLE_ONEDNN_OPTS=0) Eigen does, which rounds the sums on the way: 0.0038 from JAX, 0.0039
# from the samples in float32, which JAX meets within 0.0028.
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-6), ("bfloat16", 0.005)])
def test_both_engines_make_the_same_samples_of_the_same_weights(
    tiny_job: MakeJob,
    noise: Callable[..., np.ndarray],
    tmp_path: Path,
    on_jax: OnJax,
    size: tuple[int, int],
    precision: str,
    tolerance: float,
) -> None:
    job = tiny_job(*size, precision=precision, learning_rate_g=0.03, k_w=5)
    session = open_session(job, only(noise(job)), SessionSettings())
    session.run(40)
    state = session.state()
    theirs = job.model_copy(update={"spec": job.spec.model_copy(update={"engine": "jax"})})
    (tmp_path / "job.json").write_text(theirs.model_dump_json())
    np.savez(tmp_path / "state.npz", **state)

    done = on_jax("-c", SAMPLES, *(tmp_path / n for n in ("job.json", "state.npz", "samples.npy")))

    assert done.returncode == 0, done.stderr[-3000:]
    generator = session._model.networks["generator"]
    wanted = np.asarray(generator(state["latents"], training=False))
    assert wanted.std() > 0.3, "the samples say nothing"
    apart = np.load(tmp_path / "samples.npy").astype(np.float64) - wanted
    assert np.sqrt(np.mean(np.square(apart))) <= tolerance


WITHOUT_JAX = """
import sys
sys.modules["jax"] = None
from pathlib import Path
from jobs.errors import MultitrainError
from jobs.workspace.jobfile import JobFile
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session

job = JobFile.model_validate_json(Path(sys.argv[1]).read_text())
try:
    open_session(job, {}, SessionSettings())
except MultitrainError as error:
    print(error)
"""


def test_without_jax_the_extra_is_named(tiny_job: MakeJob, tmp_path: Path, on_jax: OnJax) -> None:
    file = tmp_path / "job.json"
    file.write_text(tiny_job(engine="jax").model_dump_json())

    done = on_jax("-c", WITHOUT_JAX, file)

    wanted = "engine: jax is not installed; .venv/bin/pip install -c constraints.txt -e '.[jax]'"
    assert (done.returncode, done.stdout.strip()) == (0, wanted), done.stderr[-3000:]


def test_a_process_trains_with_the_engine_that_keras_runs_on(
    tiny_job: MakeJob, noise: Callable[..., np.ndarray]
) -> None:
    job = tiny_job(engine="jax")
    with pytest.raises(MultitrainError, match=r"wants the engine jax.*KERAS_BACKEND=jax"):
        open_session(job, only(noise(job)), SessionSettings())
