"""``hatch run bench``: the benchmarks of ``tests-integration/benchmarks``."""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests-integration"))
runpy.run_module("benchmarks", run_name="__main__", alter_sys=True)
