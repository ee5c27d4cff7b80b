"""What the watched folder does on the disk: few, whole steps, each durable when it returns."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inventory_sync.ledger.files.arrivals import Seen


class Disk:
    """The file system of this machine."""

    def make(self, directory: Path) -> None:
        """Make a directory, its parents too, where there is none."""
        directory.mkdir(parents=True, exist_ok=True)

    def listed(self, directory: Path) -> list[Seen]:
        """The regular files in a directory, by name; links are not followed."""
        found = []
        with os.scandir(directory) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(status.st_mode):
                    found.append(Seen(entry.name, status.st_size, status.st_mtime_ns))
        return sorted(found, key=lambda seen: seen.name)

    def read(self, path: Path, most: int) -> bytes:
        """The content, at most one byte more than `most`, so that a larger file is known as such."""
        with path.open("rb") as file:
            return file.read(most + 1)

    def exists(self, path: Path) -> bool:
        """Whether anything has this name, a broken link too."""
        return os.path.lexists(path)

    def rename(self, source: Path, target: Path) -> None:
        """Move a file within one file system, in one step; what was at `target` is replaced."""
        source.replace(target)
        _sync_directory(target.parent)
        if source.parent != target.parent:
            _sync_directory(source.parent)

    def write(self, path: Path, content: bytes, modified_ns: int | None = None) -> None:
        """Write a file, of that modification time if one is given. Until it is renamed, its name keeps readers away."""
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            if modified_ns is not None:
                os.utime(file.fileno(), ns=(modified_ns, modified_ns))
            os.fsync(file.fileno())

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        path.unlink(missing_ok=True)

    @contextmanager
    def lock(self, path: Path) -> Iterator[bool]:
        """Hold a lock that ends with this process; False while another holds it."""
        with path.open("ab") as file:
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True


def write_whole(path: Path, content: bytes, disk: Disk | None = None) -> None:
    """Write a file so that a reader finds the old one or the new one, never half: beside it, then renamed."""
    at = disk or Disk()
    unfinished = path.with_name(f".{path.name}.tmp")
    at.write(unfinished, content)
    at.rename(unfinished, path)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
