"""Run the action from its image or from a checkout: inputs come in as environment variables, or as flags."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))

from package_retention.__main__ import run

if __name__ == "__main__":
    run()
