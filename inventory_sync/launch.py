"""Becomes another program that is unprivileged and ends with its parent. Run as a script, never imported.

    python -I -S launch.py PARENT SIGNAL UID GID CAPABILITY PROGRAM [ARGUMENT…]

Gives up root for UID and GID (where they differ from the own), keeps at most one Linux capability (-1: none), asks the
kernel for SIGNAL when the parent dies, and executes PROGRAM. A script of its own, because nothing of this may happen in
the daemon, and code between fork and exec is unsafe in a process with threads.
"""

from __future__ import annotations

import ctypes
import os
import sys

# linux/prctl.h and linux/capability.h
PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 4
LINUX_CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def _checked(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def give_up_root(libc: ctypes.CDLL, uid: int, gid: int, capability: int) -> None:
    """Change to `uid` and `gid` for good, and keep only `capability` (-1: none), across the next exec too."""
    if capability >= 0:
        _checked(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep capabilities")
        # Without it access(2) ignores capabilities, and initdb asks that way for `postgres`. May be refused; then only
        # the data can lie in a closed directory.
        libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if capability >= 0:
        bit = 1 << capability
        sets = (_Sets * 2)(_Sets(bit, bit, bit), _Sets(0, 0, 0))
        _checked(libc.capset(ctypes.byref(_Header(LINUX_CAPABILITY_VERSION_3, 0)), sets), "set capabilities")
        _checked(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0), "raise the ambient capability")


def main(arguments: list[str]) -> None:
    """Read the command line above and become the program."""
    parent, signal, uid, gid, capability = (int(value) for value in arguments[:5])
    command = arguments[5:]
    libc = ctypes.CDLL(None, use_errno=True)
    if uid != os.geteuid():
        give_up_root(libc, uid, gid, capability)
    if sys.platform == "linux":
        # After the change of user, which would clear it.
        _checked(libc.prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0), "ask for the parent's death")
        if os.getppid() != parent:
            sys.exit("the parent is gone already")
    os.umask(0o077)
    os.execv(command[0], command)  # noqa: S606 - becoming another program is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
