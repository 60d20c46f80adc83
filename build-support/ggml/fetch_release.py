#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetch the release of llama.cpp that the backend is tested with, built and as source.

    python3 fetch_release.py CACHE

leaves in the folder CACHE
    bin/    llama.cpp and ggml 0.25.1 as libraries, with a CPU backend for each kind of CPU
    llama/  the source that these were built from
    old/    the libraries of a release with ggml 0.9.4, which the backend refuses

They come with the packages of node-llama-cpp, fetched by npm and verified by SHA-256. What is
there is not fetched again. It is others' work (MIT): CACHE never belongs into a commit or a
package.

Needs npm and git, and only the standard library of Python 3.9 or newer.
"""

import hashlib
import os
import subprocess
import sys
import tarfile

import cache_folder
from cache_folder import Cannot

BINARIES = "@node-llama-cpp/linux-x64"
# What each part comes from: a package, what its archive must hash to, and the path in it.
PARTS = {
    "bin": (
        f"{BINARIES}@3.22.1",
        "0d953e1503d5ab4608d8ed5b739132308c81ac05ffeb760d2a7f30e08a9f90e0",
        "package/bins/linux-x64",
    ),
    "llama": (
        "node-llama-cpp@3.22.1",
        "a0d9dd80eacd2ab1cfe71aee57ac8a806487fd70b3d2a38fbec637752d9e5c5f",
        "package/llama/gitRelease.bundle",
    ),
    "old": (
        f"{BINARIES}@3.14.2",
        "84303360c8c76a91755f8bb8191918c15e9c4bcef6b8dcda8b48d721b616d9f4",
        "package/bins/linux-x64",
    ),
}


def run(*command, **options):
    try:
        return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, **options)
    except FileNotFoundError as error:
        raise Cannot(f"{error}: install npm and git") from error
    except subprocess.CalledProcessError as error:
        raise Cannot(
            f"{' '.join(map(str, command))} failed (see above): check that npm can reach its "
            "registry and that the disk is not full, then run this again"
        ) from error


def fetch(part, cache, workplace):
    """Bring one part into CACHE, whole or not at all."""
    package, digest, path = PARTS[part]
    workplace.mkdir(parents=True)
    run("npm", "pack", "--silent", package, cwd=workplace)
    archive = next(workplace.glob("*.tgz"))
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != digest:
        raise Cannot(f"{package} has SHA-256 {found}, required is {digest}")
    with tarfile.open(archive) as opened:
        for member in opened.getmembers():
            if member.name == path or member.name.startswith(f"{path}/"):
                opened.extract(member, workplace)
    result = workplace / path
    if result.suffix == ".bundle":
        source = workplace / "source"
        run("git", "clone", "--quiet", "--config", "advice.detachedHead=false", result, source)
        result = source
    os.replace(result, cache / part)


def fill(cache, workplace):
    for part, (package, _, _) in PARTS.items():
        if (cache / part).exists():
            print(f"{cache / part}: present")
        else:
            print(f"{cache / part}: missing; fetching {package}", flush=True)
            fetch(part, cache, workplace / part)


if __name__ == "__main__":
    sys.exit(cache_folder.main(__doc__, fill))
