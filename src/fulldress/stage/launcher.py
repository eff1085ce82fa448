"""Starts a trusted program in the stage's network: ``launcher.py FDS OUTSIDE-PID ARGV…``. Standard library only.

The program ends when the process outside does, even by ``kill -9``."""

import ctypes
import os
import select
import signal
import sys


def main() -> int:
    spaces = [int(fd) for fd in sys.argv[1].split(",")]
    outside = int(sys.argv[2])
    libc = ctypes.CDLL(None, use_errno=True)
    watched = os.pidfd_open(outside)
    if os.getppid() != outside:
        return 125
    for fd in spaces:
        if libc.setns(fd, 0) < 0:
            number = ctypes.get_errno()
            sys.stderr.write(f"the stage's network can't be entered: {os.strerror(number)}\n")
            return 125
        os.close(fd)
    child = os.fork()
    if child == 0:
        libc.prctl(1, signal.SIGKILL, 0, 0, 0)
        os.close(watched)
        try:
            os.execvp(sys.argv[3], sys.argv[3:])  # noqa: S606
        except OSError as error:
            sys.stderr.write(f"{sys.argv[3]}: {error.strerror}\n")
            os._exit(127)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _: os.kill(child, signum))
    ended = os.pidfd_open(child)
    poll = select.poll()
    poll.register(watched, select.POLLIN)
    poll.register(ended, select.POLLIN)
    while True:
        ready = {fd for fd, _ in poll.poll()}
        if ended in ready:
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            return code if code >= 0 else 128 - code
        if watched in ready:
            return 125


if __name__ == "__main__":
    sys.exit(main())
