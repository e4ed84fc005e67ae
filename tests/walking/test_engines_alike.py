"""TensorFlow draws what JAX would: a walk needs only one of them, whichever trained the job."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from multitrain.engine.session import SessionSettings
from multitrain.walking.latent_path import LatentPath
from multitrain.walking.sampler import Sampler
from multitrain.weights.checkpoints import load_weights

pytestmark = pytest.mark.skipif(
    os.environ.get("KERAS_BACKEND") == "jax", reason="starts the other engine itself"
)

DRAW = """
import sys
from pathlib import Path
import numpy as np
from jobs.workspace.jobfile import JobFile
from multitrain.weights.checkpoints import load_weights
from multitrain.engine.session import SessionSettings
from multitrain.walking.sampler import Sampler

job = JobFile.model_validate_json(Path(sys.argv[1]).read_text())
sampler = Sampler(job, SessionSettings(), 2, 3)
latents = np.load(sys.argv[3])
np.save(sys.argv[4], sampler.draw(sampler.place(load_weights(Path(sys.argv[2]), "dcgan")), latents))
"""


def test_both_engines_draw_the_same(learnt: JobFile, paths: JobPaths, tmp_path: Path) -> None:
    weights, latents = paths.kept_weights(8), LatentPath(12, 3, 6, 5, "normal").at(range(12))
    files = [tmp_path / name for name in ("job.json", "latents.npy", "drawn.npy")]
    spec = learnt.spec.model_copy(update={"engine": "jax"})
    files[0].write_text(learnt.model_copy(update={"spec": spec}).model_dump_json())
    np.save(files[1], latents)

    subprocess.run(
        [sys.executable, "-c", DRAW, files[0], weights, *files[1:]],
        env=os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        cwd=Path(__file__).parents[2],
        check=True,
    )

    sampler = Sampler(learnt, SessionSettings(), 2, 3)
    ours = sampler.draw(sampler.place(load_weights(weights, "dcgan")), latents)
    assert ours.std() > 10, "the frames say nothing"
    assert np.abs(ours.astype(int) - np.load(files[2])).max() <= 1
