#!/usr/bin/env python3
"""Command line of the project; `manage.py up` starts everything."""

import os
import sys


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 (an older Python must hear it from us, not from a syntax error)
        sys.exit("需要 Python 3.11 或更高版本 / Python 3.11 or later is needed; this is " + sys.version.split()[0])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eduaid.settings")
    for stream in (sys.stdout, sys.stderr):
        # A terminal in another encoding shows a question mark instead of ending the program.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError:
        sys.exit(
            "依赖尚未安装,请先执行 make up / The dependencies are not installed here: run `make up`, or see README.md"
        )
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
