from __future__ import annotations

import subprocess
import sys

NOISE = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
from multitrain.networks.regularization import Noise

with strategy.scope():
    noise = Noise(1.0, seed=7, dtype="float32")
    noise.build((3,))
draw = tf.function(lambda: strategy.run(lambda: noise(tf.zeros((3,)), training=True)))
drawn = [tuple(each.numpy()) for _ in range(2) for each in draw().values]
print(len(set(drawn)))
"""

WINDOWS = """
import numpy as np
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Preprocessing
from multitrain.engine.feeds import only
from multitrain.engine.groups import groups_of
from multitrain.engine.tensorflow.pictures import Feeding
from multitrain.engine.tensorflow.random import Draws

class Told(Draws):  # windows in the columns 10, 20 and so on, whatever the step
    def windows(self, feed, step, batches, count):
        right = (tf.range(1.0, batches * count + 1) * 10 + 0.5) / 100
        shares = tf.stack([tf.zeros_like(right), right, tf.zeros_like(right)])
        return tf.reshape(shares, (3, batches, count))

draws = Told(7, tf.constant(0, tf.int64))
columns = np.tile(np.arange(100, dtype=np.uint8)[:, None], (9, 1, 1, 1))
groups = groups_of(only(columns), Preprocessing((), Resolution(1, 1)))
for in_place in (True, False):
    devices = strategy.extended.worker_devices
    feeding = Feeding(groups, {"pictures": 2}, draws, 4, devices, in_place)
    handed = feeding.handed(0, 1)
    seen = lambda: feeding.of_step(handed, 0, tf.constant(0, tf.int64))["pictures"]
    run = tf.function(lambda: strategy.run(seen))
    print([each.numpy().ravel().tolist() for each in run().values])
"""


def test_each_replica_sees_its_own_share_of_the_windows() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WINDOWS], capture_output=True, text=True, check=False
    )

    shares = "[[10, 20, 50, 60], [30, 40, 70, 80]]"
    assert (done.returncode, done.stdout.splitlines()) == (0, [shares] * 2), done.stderr[-2000:]


def test_each_replica_draws_noise_of_its_own_at_each_call() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOISE], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout.strip()) == (0, "4"), done.stderr[-2000:]
