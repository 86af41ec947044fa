"""A stage is a directory, and there is one way to run it.

It is built under a temporary name that carries its fingerprint, its manifest is written last, and one rename
commits it: what has its final name is whole. The fingerprint covers the stage's name, its settings, the stages it
reads and the outside files it reads; the same fingerprint is skipped, another one is rebuilt. A killed build leaves
a directory that the same command takes up again, because tasks write each part under a temporary name too.
"""

import errno
import fcntl
import json
import os
import shlex
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import xxhash

from corpus import __version__
from corpus.errors import InputError, LockedError, StageError, WorkspaceError
from corpus.tables import replacing

MANIFEST = "manifest.json"
FORMAT = 3  # of what stages write (schema.py): a workspace of another one is built anew
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LOGS = "logs"  # inside a temporary directory: logs of fanned-out tasks

# Runs task(rank) for each rank, somewhere, and raises when one fails. The directory
# is the stage's temporary one: logs go to its LOGS folder. See pipelines/fanout.py.
FanOut = Callable[[Callable[[int], object], Sequence[int], Path], None]
# Hears of a stage's progress: (stage, done, total); total 0 means unknown.
Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Output:
    """A committed file, relative to its stage; mtime_ns saves reading it to see that it is unchanged."""

    bytes: int
    mtime_ns: int
    digest: str  # xxh3_128, hex


@dataclass(frozen=True)
class Manifest:
    """What a committed stage says of itself. Code version, times and seconds are not in the fingerprint."""

    stage: str
    fingerprint: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]  # stage -> its fingerprint
    files: Mapping[str, str]  # outside file -> its stamp
    counts: Mapping[str, Any]  # rows in and out, and what else the stage counted
    outputs: Mapping[str, Output]
    seconds: float
    finished: str  # UTC, ISO 8601
    version: str = __version__


@dataclass
class Stages:
    """Stages below a directory, each by its path from there: `pool/parts`, `corpus`."""

    root: Path
    report: Report = field(default=lambda stage, done, total: None)
    notice: Callable[[str], None] = field(default=lambda text: None)  # hears what a person should know
    frozen: bool = False  # build nothing: `run` raises WorkspaceError where a stage is not up to date

    def __post_init__(self) -> None:
        self.root = self.root.absolute()

    @property
    def quoted(self) -> str:
        """The directory as a shell takes it."""
        return shlex.quote(str(self.root))

    def command(self) -> str:
        """What brings the stages up to date."""
        return "the command that made them"

    def path(self, stage: str) -> Path:
        """Directory of a stage."""
        return self.root / stage

    def stage_of(self, temporary: Path) -> str:
        """Name of the stage that is built in a temporary directory."""
        return str((temporary.parent / temporary.name.lstrip(".").rsplit(".", 1)[0]).relative_to(self.root))

    def manifest(self, stage: str) -> Manifest | None:
        """The stage's manifest, or None where the stage was never committed."""
        return read_manifest(self.path(stage) / MANIFEST)

    def is_current(self, stage: str) -> bool:
        """The stage is committed, whole, and made from the present state of all it read."""
        known: dict[str, bool] = {}

        def current(name: str) -> bool:
            if name not in known:
                manifest = self.manifest(name)
                known[name] = (
                    manifest is not None
                    and self.damage(name, manifest) is None
                    and all(current(read) and self.fingerprint(read) == made for read, made in manifest.inputs.items())
                )
            return known[name]

        return current(stage)

    def fingerprint(self, stage: str) -> str:
        """Raises WorkspaceError where the stage was never built."""
        manifest = self.manifest(stage)
        if manifest is None:
            raise WorkspaceError(f"{self.root}: stage {stage} was never built. Type: {self.command()}")
        return manifest.fingerprint

    def damage(self, stage: str, manifest: Manifest) -> str | None:
        """The first output that is lost or was edited since the stage was committed."""
        for name, output in manifest.outputs.items():
            path = self.path(stage) / name
            try:
                stat = path.stat()
            except FileNotFoundError:
                return f"{path} is gone"
            if stat.st_size != output.bytes or (
                stat.st_mtime_ns != output.mtime_ns and file_digest(path) != output.digest
            ):
                return f"{path} was edited"
        return None

    def check_own(self, output: Path, settings: Mapping[str, Any], files: Mapping[str, str]) -> None:
        """Raises InputError where a directory that a person named for a result holds anything but that result."""
        name = output.absolute().name
        present = self.manifest(name)
        if present is not None and present.fingerprint != fingerprint_of(name, settings, {}, files):
            raise InputError(
                f"{output} holds the result of other settings or files. Name another directory, or delete this one."
            )
        if present is None and output.exists() and any(output.iterdir()):
            raise InputError(f"{output} is there already and not a result of this. Name another directory.")

    def run(
        self,
        stage: str,
        build: Callable[[Path], Mapping[str, Any]],
        *,
        settings: Mapping[str, Any],
        inputs: Sequence[str] = (),
        files: Mapping[str, str] | None = None,
    ) -> Manifest:
        """Bring a stage up to date and return its manifest; `build` is called only if it is not.

        build: writes the outputs into the directory it is given and returns counts. The directory
            may hold parts that a killed run of the same fingerprint finished: they are kept.
        settings: what the result depends on, and nothing else.
        inputs: stages it reads; they must be current.
        files: outside files it reads, with a stamp of each (see `stamp`).

        Raises StageError when the disk is full, and what `build` raises.
        """
        read = {name: self.fingerprint(name) for name in inputs}
        files = files or {}
        fingerprint = fingerprint_of(stage, settings, read, files)
        final = self.path(stage)
        present = self.manifest(stage)
        if present is not None and present.fingerprint == fingerprint:
            damage = self.damage(stage, present)
            if damage is None:
                shutil.rmtree(self._replaced(final), ignore_errors=True)  # what a kill between two renames left
                return present
            why = damage
        else:
            why = "it was never built" if present is None else _changes(present, settings, read, files)
        if self.frozen:
            raise WorkspaceError(f"{stage} is not up to date: {why}. Type: {self.command()}")
        if present is not None:
            self.notice(f"{stage}: {why}; it is built again")
        temporary = final.with_name(f".{final.name}.{fingerprint[:12]}")
        manifest = read_manifest(temporary / MANIFEST)
        if manifest is None:
            started = time.monotonic()
            self.report(stage, 0, 0)
            self._discard_other_attempts(final, temporary)
            temporary.mkdir(parents=True, exist_ok=True)
            try:
                counts = build(temporary)
                shutil.rmtree(temporary / LOGS, ignore_errors=True)
                manifest = Manifest(
                    stage=stage,
                    fingerprint=fingerprint,
                    settings=settings,
                    inputs=read,
                    files=files,
                    counts=counts,
                    outputs=outputs_of(temporary),
                    seconds=round(time.monotonic() - started, 2),
                    finished=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                )
                with replacing(temporary / MANIFEST) as path:
                    path.write_text(json.dumps(asdict(manifest), indent=1, sort_keys=True) + "\n")
            except InputError:
                self._discard_if_empty(temporary)
                raise
            except OSError as error:
                if error.errno in DISK_FULL:
                    raise StageError(
                        f"{stage}: {os.strerror(error.errno)} while writing below {self.root}. "
                        "Free some space and type the same command again: finished parts are kept."
                    ) from error
                raise
        self._commit(temporary, final)
        self.report(stage, 1, 1)
        return manifest

    def _discard_if_empty(self, temporary: Path) -> None:
        """Leave no trace of a build that failed before it made anything."""
        if all(path.name == LOGS or path.name.startswith(".") for path in temporary.iterdir()):
            shutil.rmtree(temporary)

    def _commit(self, temporary: Path, final: Path) -> None:
        if final.exists():
            replaced = self._replaced(final)
            shutil.rmtree(replaced, ignore_errors=True)
            final.rename(replaced)
            temporary.rename(final)
            shutil.rmtree(replaced)
        else:
            temporary.rename(final)

    def _replaced(self, final: Path) -> Path:
        return final.with_name(f".{final.name}.replaced")

    def _discard_other_attempts(self, final: Path, temporary: Path) -> None:
        for path in final.parent.glob(f".{final.name}.*"):
            if path != temporary:
                shutil.rmtree(path)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the workspace: LockedError, naming the holder, while another process does.

        A POSIX record lock: the kernel drops it when the process ends, however it ends, and
        worker processes do not inherit it.
        """
        descriptor = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                holder = os.pread(descriptor, 4096, 0).decode(errors="replace").strip() or "another process"
                raise LockedError(
                    f"{self.root} is in use by {holder}. Wait until it ends, or end it; then type the command again."
                ) from error
            os.ftruncate(descriptor, 0)
            since = time.strftime("%Y-%m-%d %H:%M:%S")
            command = " ".join(Path(sys.argv[0]).name if i == 0 else a for i, a in enumerate(sys.argv))
            os.pwrite(
                descriptor, f"process {os.getpid()} on {socket.gethostname()} since {since}: {command}".encode(), 0
            )
            yield
            os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)


def _changes(
    manifest: Manifest, settings: Mapping[str, Any], inputs: Mapping[str, str], files: Mapping[str, str]
) -> str:
    """What differs from a committed stage, in words: settings, files and stages by name."""
    was = json.loads(json.dumps(manifest.settings))
    now = json.loads(json.dumps(settings))
    gone, new = sorted(manifest.files.keys() - files.keys()), sorted(files.keys() - manifest.files.keys())
    said = [
        ("setting changed", sorted(key for key in was.keys() | now.keys() if was.get(key) != now.get(key))),
        ("file gone", gone),
        ("file new", new),
        ("file changed", sorted(name for name, stamp in files.items() if manifest.files.get(name, stamp) != stamp)),
        ("built anew since", sorted(name for name, made in inputs.items() if manifest.inputs.get(name) != made)),
    ]
    named = [f"{what}: {', '.join(names[:3])}{', …' if len(names) > 3 else ''}" for what, names in said if names]
    return "; ".join(named) or "a version that writes other tables built it"


def read_manifest(path: Path) -> Manifest | None:
    """None where there is no such file; WorkspaceError where it cannot be understood."""
    try:
        raw = json.loads(path.read_text())
        return Manifest(**{**raw, "outputs": {name: Output(**o) for name, o in raw["outputs"].items()}})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise WorkspaceError(f"{path} is not a manifest ({error}). Delete {path.parent} to build it again.") from error


def fingerprint_of(stage: str, settings: Mapping[str, Any], inputs: Mapping[str, str], files: Mapping[str, str]) -> str:
    """xxh3_128 (hex) over the canonical JSON of what a stage's result depends on, FORMAT too."""
    return xxhash.xxh3_128_hexdigest(json.dumps([FORMAT, stage, settings, inputs, files], sort_keys=True).encode())


def file_digest(path: Path) -> str:
    """xxh3_128 of a file's bytes, hex."""
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def outputs_of(directory: Path) -> dict[str, Output]:
    """Every file below a stage's directory; what begins with a dot is a killed task's leftover, and is deleted."""
    for path in sorted(directory.rglob(".*"), reverse=True):  # what lies deeper comes first
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    outputs = {}
    for path in sorted(p for p in directory.rglob("*") if p.is_file()):
        stat = path.stat()
        outputs[str(path.relative_to(directory))] = Output(stat.st_size, stat.st_mtime_ns, file_digest(path))
    return outputs


def build_files(
    fan_out: FanOut, task: Callable[[int], object], n: int, stage: Path, made: Callable[[int], Path]
) -> None:
    """Run task(rank) for each rank whose file is not there yet; StageError where one is still missing.

    stage: its temporary directory, which the files are below of.
    """

    def missing() -> list[int]:
        return [rank for rank in range(n) if not made(rank).exists()]

    fan_out(task, missing(), stage)
    if left := missing():
        raise StageError(f"{made(left[0])} was not made, and nothing said why. Type the command again.")


def build_parts(fan_out: FanOut, task: Callable[[int], object], n_parts: int, directory: Path) -> None:
    """build_files of the parts of a stage."""
    build_files(fan_out, task, n_parts, directory, partial(part, directory))


def part(directory: Path, rank: int, name: str = "part") -> Path:
    """directory/part-00007.parquet; the number is the task's rank."""
    return directory / f"{name}-{rank:05d}.parquet"


def parts(directory: Path, name: str = "part") -> list[Path]:
    """The part files of a committed stage, by rank."""
    return sorted(directory.glob(f"{name}-*.parquet"))
