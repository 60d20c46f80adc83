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

import cache_folder
from cache_folder import Cannot

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
        raise Cannot(f"{error}: install Rust, which brings cargo") from error
    if result.returncode != 0:
        raise Cannot(
            f"fetching {CRATE} {VERSION} failed (see above): check that cargo can reach its "
            "registry and that the disk is not full, then run this again"
        )
    packages = json.loads(result.stdout)["packages"]
    crate = next(package for package in packages if package["name"] == CRATE)
    return Path(crate["manifest_path"]).parent


def fill(cache, workplace):
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
    crate = unpacked(workplace)
    for name, (path, digest) in wrong.items():
        partial = workplace / name
        shutil.copyfile(crate / path, partial)
        found = flaw(partial, digest)
        if found is not None:
            raise Cannot(
                f"{path} of {CRATE} {VERSION} is wrong ({found}): remove {crate} and run this again"
            )
        os.replace(partial, cache / name)
        print(f"{cache / name}: fetched, SHA-256 verified")


if __name__ == "__main__":
    sys.exit(cache_folder.main(__doc__, fill))
