"""Who a child process runs as when we are root, and whether that user can reach what it needs."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# The first of these that exists is used. An operator who wants a user for this alone creates the first one.
CANDIDATES = ("inventory-sync", "nobody")

NO_CAPABILITY = -1
# linux/capability.h: walk through any directory and read any file / the same, and write and execute.
CAP_DAC_READ_SEARCH = 2
CAP_DAC_OVERRIDE = 1

_SEARCH = stat.S_IXOTH
_READ = stat.S_IROTH


class UnreachableError(Exception):
    """No user to run as, or that user cannot get where it must. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user and group to run as."""

    uid: int
    gid: int
    name: str


def account_for(directory: Path) -> Account:
    """Whom to run as for `directory`: ourselves, or if we are root its owner, or if that is root a user without rights.

    Raises UnreachableError if it belongs to somebody we cannot become, or there is no such user.
    """
    owner = directory.stat().st_uid if directory.exists() else None
    own = os.geteuid()
    if own != 0:
        if owner not in (None, own):
            raise UnreachableError(
                f"{directory} belongs to user {owner}, and this process runs as user {own}. "
                f"Start inventory-sync as user {owner}, or give it the directory: chown -R {own} {directory}"
            )
        return Account(own, os.getegid(), str(own))
    for account in _candidates(owner):
        return account
    raise UnreachableError(
        f"PostgreSQL does not run as root, and there is none of the users {', '.join(CANDIDATES)} to run it as. "
        "Create one (useradd --system inventory-sync), or start inventory-sync as an ordinary user."
    )


def _candidates(owner: int | None) -> Iterator[Account]:
    if owner:
        try:
            entry = pwd.getpwuid(owner)
            yield Account(entry.pw_uid, entry.pw_gid, entry.pw_name)
        except KeyError:
            pass  # a number without a name, as after a restore on another machine: PostgreSQL insists on a name
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        yield Account(entry.pw_uid, entry.pw_gid, entry.pw_name)


def give_tree(directory: Path, account: Account) -> None:
    """Make `account` the owner of a directory and all in it. Does nothing unless we are root."""
    if os.geteuid() != 0 or directory.stat().st_uid == account.uid:
        return
    for folder, _, files in os.walk(directory):
        os.chown(folder, account.uid, account.gid)
        for name in files:
            os.chown(os.path.join(folder, name), account.uid, account.gid, follow_symlinks=False)


def needed_capability(account: Account, paths: Iterable[Path]) -> int:
    """The one Linux capability `account` needs to reach `paths`, or NO_CAPABILITY if their modes let it through.

    A checkout or virtual environment under root's own home (mode 0700) is the usual case. Raises UnreachableError if
    we do not hold the capability ourselves, as in a container that dropped it.
    """
    if os.geteuid() != 0 or account.uid == 0:
        return NO_CAPABILITY
    blocked: Path | None = None
    acceptable: tuple[int, ...] = (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE)
    for path in paths:
        for folder in reversed(path.parents):
            if not _allows(folder, account, _SEARCH):
                blocked = folder
        is_directory = path.is_dir()
        if not _allows(path, account, _SEARCH if is_directory else _READ):
            blocked = path
        if not is_directory and not _allows(path, account, _SEARCH):
            blocked, acceptable = path, (CAP_DAC_OVERRIDE,)
    if blocked is None:
        return NO_CAPABILITY
    held = _held_capabilities()
    for capability in acceptable:
        if held >> capability & 1:
            return capability
    raise UnreachableError(
        f"PostgreSQL runs as user {account.name}, who may not enter {blocked}. Allow it (chmod o+rx {blocked}), "
        "choose another INVENTORY_SYNC_DATA_DIR, or start inventory-sync as an ordinary user."
    )


def _allows(path: Path, account: Account, right: int) -> bool:
    """Whether the mode of `path` gives `account` the right, which is given as its bit for others."""
    status = path.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & right << 6)
    if status.st_gid == account.gid:
        return bool(status.st_mode & right << 3)
    return bool(status.st_mode & right)


def _held_capabilities() -> int:
    """Those we may hand to a child: effective and not bounded away, as a bit set; 0 where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    sets = {
        name: int(value, 16) for name, _, value in (line.partition(":") for line in lines) if name.startswith("Cap")
    }
    return sets.get("CapEff", 0) & sets.get("CapBnd", 0)
