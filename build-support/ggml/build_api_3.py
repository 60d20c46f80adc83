#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Build a ggml of the backends' API 3, which the backend is not for and refuses.

    python3 build_api_3.py CACHE

leaves in the folder CACHE/api-3 the libraries of ggml 0.26.0, with a CPU backend for every CPU,
without optimisation. The source comes with a crate, fetched by cargo. What is there is not built
again. It is others' work (MIT): CACHE never belongs into a commit or a package.

Needs cargo, gcc and g++, and only the standard library of Python 3.9 or newer.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cache_folder
from cache_folder import Cannot
from fetch_headers import unpacked

VERSION = "0.26.0"
# Each library, what it is linked to, and its sources.
LIBRARIES = {
    "libggml-base.so": (
        [],
        "ggml.c ggml.cpp ggml-alloc.c ggml-backend.cpp ggml-backend-meta.cpp ggml-opt.cpp "
        "ggml-threading.cpp ggml-quants.c gguf.cpp",
    ),
    "libggml.so": (["libggml-base.so"], "ggml-backend-reg.cpp ggml-backend-dl.cpp"),
    "libggml-cpu.so": (
        ["libggml-base.so"],
        "ggml-cpu/ggml-cpu.c ggml-cpu/ggml-cpu.cpp ggml-cpu/hbm.cpp ggml-cpu/quants.c "
        "ggml-cpu/traits.cpp ggml-cpu/binary-ops.cpp ggml-cpu/unary-ops.cpp ggml-cpu/vec.cpp "
        "ggml-cpu/ops.cpp ggml-cpu/tiled/tiled.cpp ggml-cpu/tiled/tiled-kernel.cpp",
    ),
}
DEFINITIONS = (
    "_GNU_SOURCE _XOPEN_SOURCE=600 GGML_BUILD GGML_SHARED GGML_BACKEND_BUILD GGML_BACKEND_SHARED "
    "GGML_BACKEND_DL GGML_CPU_GENERIC GGML_SCHED_MAX_COPIES=4"
)


def run(command):
    if subprocess.run(command).returncode != 0:
        raise Cannot(f"{' '.join(map(str, command))} failed (see above)")


def of_version(ggml):
    """Whether the source in this folder is of the version."""
    cmake = (ggml / "CMakeLists.txt").read_text()
    parts = zip(("MAJOR", "MINOR", "PATCH"), VERSION.split("."))
    return all(f"set(GGML_VERSION_{part} {number})" in cmake for part, number in parts)


def compiled(ggml, source, workplace):
    """The object of a source."""
    compiler = ["gcc", "-std=c11"] if source.endswith(".c") else ["g++", "-std=c++17"]
    includes = [f"-I{folder}" for folder in (workplace, ggml / "include", ggml / "src")]
    includes.append(f"-I{ggml / 'src' / 'ggml-cpu'}")
    definitions = [f"-D{definition}" for definition in DEFINITIONS.split()]
    result = workplace / f"{source.replace('/', '-')}.o"
    run(
        [*compiler, "-O0", "-w", "-fPIC", *definitions, *includes]
        + ["-c", ggml / "src" / source, "-o", result]
    )
    return result


def build(cache, workplace):
    crate = unpacked(workplace / "crate")
    ggml = crate / "llama.cpp" / "ggml"
    if not of_version(ggml):
        raise Cannot(f"{ggml} is not of ggml {VERSION}")
    template = (ggml / "src" / "ggml-version.h.in").read_text()
    header = template.replace("@GGML_VERSION@", VERSION).replace("@GGML_BUILD_COMMIT@", "none")
    (workplace / "ggml-version.h").write_text(header)
    built = workplace / "built"
    built.mkdir()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for library, (needed, sources) in LIBRARIES.items():
            objects = list(pool.map(lambda s: compiled(ggml, s, workplace), sources.split()))
            libraries = [f"-l:{name}" for name in needed]
            run(
                ["g++", "-shared", "-o", built / library, *objects, f"-L{built}", *libraries]
                + [f"-Wl,-soname,{library}", "-Wl,-rpath,$ORIGIN", "-Wl,-z,defs", "-lpthread"]
            )
    os.replace(built, cache / "api-3")


def fill(cache, workplace):
    if (cache / "api-3").exists():
        print(f"{cache / 'api-3'}: present")
        return
    print(f"{cache / 'api-3'}: missing; building ggml {VERSION}", flush=True)
    workplace.mkdir()
    build(cache, workplace)


if __name__ == "__main__":
    sys.exit(cache_folder.main(__doc__, fill))
