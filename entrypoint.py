"""Run the action from its image or from a checkout: inputs come in as environment variables."""

import io
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))

from package_retention.app import main

if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):  # a killed run has shown all that it said, in any locale
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    sys.exit(main(os.environ, sys.stdout))
