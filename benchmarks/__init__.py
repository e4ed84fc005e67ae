"""What is promised, measured: `python -m benchmarks.<name>`, each prints a table.

`faults` kills the processes of a farm and looks for what is lost, `fresh` does so while jobs start
over; `damage` damages the files of a workspace; `sheets` reads strange sheets.
Each ends with code 1 where a number is beyond its limit, and takes a `--seed`, so that a run can be
had again. `python -m benchmarks` measures speed and memory; `--list` says what.
"""

import sys

from benchmarks import ending

if sys.argv[:1] == ["-m"]:  # Python is about to run one of our modules, or a program's like pytest
    ending.begin()
