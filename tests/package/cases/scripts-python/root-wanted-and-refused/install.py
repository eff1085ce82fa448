import os
import sys


def main(as_root):
    if os.geteuid() == 0 and not as_root:
        raise SystemExit('not as root')


main(False)
