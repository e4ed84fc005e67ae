"""What the farm passes to a trainer through its environment."""

from __future__ import annotations

# Labels of the GPUs that are leased for it, empty for none. A training that has leased GPUs and
# does not see them must not go on without them.
GPUS_LEASED = "MULTITRAIN_GPUS"
