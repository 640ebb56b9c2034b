"""`python -m bench.contenders NAME FOLDER WARM-UP-FOLDER`: one run of one contender; answers with one line of JSON.

The database is the one that the environment names; it is left as the run leaves it.
"""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

import django
from django.conf import settings
from django.db import connection

from bench.contenders import CONTENDERS, Files
from bench.measuring import Steps


def main(name: str, folder: Path, warm_up_folder: Path) -> None:
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "bench.contenders"]  # a peer's plain model needs an app
    django.setup()
    module, function = CONTENDERS[name]
    run = getattr(importlib.import_module(f"bench.contenders.{module}"), function)
    # Imports, connections and character tables are those of a worker that has done a list before.
    run(Files.of(warm_up_folder), Steps())
    connection.ensure_connection()
    steps = Steps(backend=connection.connection.info.backend_pid)
    run(Files.of(folder), steps)
    print(json.dumps(asdict(steps)))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
