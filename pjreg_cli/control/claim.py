"""One instance for one socket path: the lock, the folder, the listening socket.

The lock file beside the socket is held with flock(2) as long as the instance lives, so it cannot
outlive it: a socket found while the lock is free is a dead instance's and is replaced.
"""

from __future__ import annotations

import errno
import fcntl
import grp
import os
import socket
import stat
from pathlib import Path

from pjreg_cli.errors import PjregError, excerpt

_LOCK_SUFFIX = ".lock"
_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600
_GROUP_FILE = 0o660
#: what sockaddr_un holds, in bytes, without its final zero
_LONGEST_PATH = 107
_BACKLOG = 128


class SocketTakenError(PjregError):
    """Another instance answers there, or something that is none of ours is in the way."""


class Claim:
    """The right to listen at a path; `release` gives it back."""

    def __init__(self, path: Path, lock: int) -> None:
        self._path = path
        self._lock = lock
        self._listens = False

    @classmethod
    def take(cls, path: Path) -> Claim:
        """Claim `path`, making its folder if need be; raises SocketTakenError."""
        if len(os.fsencode(path)) > _LONGEST_PATH:
            raise SocketTakenError(
                f"the path of the control socket is longer than {_LONGEST_PATH} bytes: {path};"
                " name a shorter one with --socket"
            )
        try:
            _prepare_folder(path.parent)
            claim = cls(path, _lock(path))
        except OSError as error:
            raise SocketTakenError(
                f"cannot make the control socket {path}: {error.strerror};"
                " name another one with --socket"
            ) from error
        try:
            _refuse_foreign(path)
        except BaseException:
            claim.release()
            raise
        return claim

    def listen(self, group: str | None = None) -> socket.socket:
        """The listening socket, readable and writable by its owner only, or by `group` as well
        (empty: the one we are of)."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mode = _PRIVATE_FILE if group is None else _GROUP_FILE
        mask = os.umask(0o777 & ~mode)
        try:
            self._path.unlink(missing_ok=True)
            sock.bind(str(self._path))
            self._listens = True
            if group:
                os.chown(self._path, -1, _number_of(group))
            sock.listen(_BACKLOG)
            sock.setblocking(False)
        except OSError as error:
            sock.close()
            raise SocketTakenError(f"cannot listen at {self._path}: {error.strerror}") from error
        finally:
            os.umask(mask)
        return sock

    def release(self) -> None:
        """Remove what `take` and `listen` have made."""
        if self._listens:
            self._path.unlink(missing_ok=True)
        _lock_path(self._path).unlink(missing_ok=True)
        os.close(self._lock)


def _number_of(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise SocketTakenError(f"there is no group {excerpt(group)} on this host") from error


def _lock_path(path: Path) -> Path:
    return path.with_name(path.name + _LOCK_SUFFIX)


def _prepare_folder(folder: Path) -> None:
    """Make the folder, private; refuse one in which others could replace our socket: theirs, one
    that they may write to (save where only owners may remove what is in it), a link of theirs."""
    folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    ours = (0, os.geteuid())
    found = folder.stat()
    shared = found.st_mode & (stat.S_IWOTH | stat.S_IWGRP) and not found.st_mode & stat.S_ISVTX
    if shared or found.st_uid not in ours or folder.lstat().st_uid not in ours:
        raise SocketTakenError(
            f"{folder} is not private: another user could replace the control socket there;"
            " name a folder of your own with --socket"
        )


def _lock(path: Path) -> int:
    """The descriptor of the locked lock file; raises SocketTakenError."""
    name = _lock_path(path)
    while True:
        lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _PRIVATE_FILE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(lock, 20).decode("ascii", "replace").strip()
            os.close(lock)
            raise SocketTakenError(_taken(path, pid)) from None
        if _is_still(name, lock):
            os.ftruncate(lock, 0)
            os.write(lock, f"{os.getpid()}\n".encode())
            return lock
        os.close(lock)  # its owner removed it while we waited: the name is another file's now


def _is_still(name: Path, lock: int) -> bool:
    try:
        named = name.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(named, os.fstat(lock))


def _refuse_foreign(path: Path) -> None:
    """Raise SocketTakenError for anything in our place but a dead socket."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SocketTakenError(f"{path} exists and is not a socket; name another with --socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        if probe.connect_ex(str(path)) not in (errno.ECONNREFUSED, errno.ENOENT):
            raise SocketTakenError(_taken(path, ""))


def _taken(path: Path, pid: str) -> str:
    who = f"another instance (process {pid})" if pid else "another instance"
    return f"{who} already runs at {path}: ask it (-r), stop it, or name another socket (-s)"
