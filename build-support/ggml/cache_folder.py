# SPDX-License-Identifier: Apache-2.0
"""The programs here that bring a folder CACHE into its whole state, as commands.

Needs only the standard library of Python 3.9 or newer.
"""

import shutil
import sys
from pathlib import Path


class Cannot(Exception):
    """What went wrong and, where there is something, what to do about it: in one line."""


def main(usage, fill):
    """Call `fill` with the folder that the command names and with a place to work in.

    That place is not there yet. It is in CACHE, so that what is whole can be moved to where it
    belongs, and it is removed in the end. Returns the status to exit with.
    """
    command, words = Path(sys.argv[0]).name, sys.argv[1:]
    if len(words) != 1 or words[0].startswith("-"):
        print(usage.strip())
        return 0 if words in (["-h"], ["--help"]) else 2
    cache = Path(words[0]).resolve()
    workplace = cache / "unfinished"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        # What an interrupted run left in it is worth nothing.
        shutil.rmtree(workplace, ignore_errors=True)
        fill(cache, workplace)
    except Cannot as error:
        print(f"{command}: error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{command}: error: {error}: check the folder, then run again", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
    return 0
