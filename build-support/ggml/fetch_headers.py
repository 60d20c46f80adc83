#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetch the headers of ggml that the block formats are held against.

    python3 fetch_headers.py CACHE

leaves in the folder CACHE
    ggml-common.h   the block formats, verified by SHA-256
    ggml.h          the numbers of the types, verified by SHA-256

They come with a crate that carries the source of ggml, fetched by cargo. Run again, it verifies
what is there and downloads only what is missing or wrong. The headers are others' work (MIT):
CACHE never belongs into a commit or a package.

Needs cargo, and only the standard library of Python 3.9 or newer.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

CRATE = "llama-cpp-sys-2"
VERSION = "0.1.161"  # ggml 0.26.0
# Where each is in the crate, and what it must hash to.
HEADERS = {
    "ggml-common.h": (
        "llama.cpp/ggml/src/ggml-common.h",
        "0061131b615c5721fc88a78feeb22c1f8c450f1c2646a317d80796a653bf595c",
    ),
    "ggml.h": (
        "llama.cpp/ggml/include/ggml.h",
        "12ee71f99db7db9b353bc02b1fbb57c344ee17c01ac5fb7952b41a637a747ea9",
    ),
}

# A package of its own, not a member of the workspace around it.
MANIFEST = f"""\
[package]
name = "ggml-headers"
version = "0.0.0"
edition = "2021"
publish = false

[dependencies]
{CRATE} = "={VERSION}"

[workspace]
"""


class CannotFetch(Exception):
    """What went wrong and what to do about it, in one line."""


def flaw(header, digest):
    """What is wrong with a header, or None."""
    if not header.is_file():
        return "missing"
    found = hashlib.sha256(header.read_bytes()).hexdigest()
    return None if found == digest else f"SHA-256 {found}, required is {digest}"


def unpacked(workplace):
    """The folder that cargo has unpacked the crate into."""
    manifest = workplace / "Cargo.toml"
    (workplace / "src").mkdir(parents=True)
    (workplace / "src" / "lib.rs").touch()
    manifest.write_text(MANIFEST)
    command = [os.environ.get("CARGO", "cargo"), "metadata", "--format-version", "1"]
    try:
        result = subprocess.run(
            [*command, "--manifest-path", manifest], text=True, stdout=subprocess.PIPE
        )
    except FileNotFoundError as error:
        raise CannotFetch(f"{error}: install Rust, which brings cargo") from error
    if result.returncode != 0:
        raise CannotFetch(
            f"fetching {CRATE} {VERSION} failed (see above): check that cargo can reach its "
            "registry and that the disk is not full, then run this again"
        )
    packages = json.loads(result.stdout)["packages"]
    crate = next(package for package in packages if package["name"] == CRATE)
    return Path(crate["manifest_path"]).parent


def fetch(cache):
    """Bring CACHE into its whole state."""
    cache = cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    wrong = {}
    for name, (_, digest) in HEADERS.items():
        found = flaw(cache / name, digest)
        if found is None:
            print(f"{cache / name}: present, SHA-256 verified")
        else:
            print(f"{cache / name}: {found}; fetching it", flush=True)
            wrong[name] = HEADERS[name]
    if not wrong:
        return
    # What an interrupted run left in it is worth nothing.
    workplace = cache / "unfinished"
    shutil.rmtree(workplace, ignore_errors=True)
    try:
        crate = unpacked(workplace)
        for name, (path, digest) in wrong.items():
            partial = workplace / name
            shutil.copyfile(crate / path, partial)
            found = flaw(partial, digest)
            if found is not None:
                raise CannotFetch(
                    f"{path} of {CRATE} {VERSION} is wrong ({found}): remove {crate} and run this "
                    "again"
                )
            os.replace(partial, cache / name)
            print(f"{cache / name}: fetched, SHA-256 verified")
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__.strip())
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    try:
        fetch(Path(sys.argv[1]))
    except CannotFetch as error:
        print(f"fetch_headers.py: error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"fetch_headers.py: error: {error}: check the folder, then run again", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
