#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hold `spanker matmul` against numpy on tensors of a real model.

    CACHE/venv/bin/python check_matmul.py MODEL.gguf SPANKER

runs the program SPANKER on Q4_K tensors of MODEL and compares its output Y with
X @ W.T in float64, where W is dequantised by gguf, which shares no code with SPANKER.
The bound on the error also has to reject Y scaled by 1.02, or the comparison proves nothing.
Ends with `N passed, N failed`; exits with 1 if anything failed.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from gguf import GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize

NAMED_TENSOR = "blk.0.attn_output.weight"
ROW_COUNTS = (1, 33)  # 33 is no multiple of any block a kernel works in
SEED = 20_260_101
# Quantising X to 8 bits alone costs about 5e-5; one per cent of gain error costs 1e-4.
MOST_NMSE = 1e-4
CONTROL_GAIN = 1.02
SECONDS = 300


def nmse(found, expected):
    """Normalised mean squared error, in float64."""
    error = found.astype(numpy.float64) - expected
    return float((error * error).sum() / (expected * expected).sum())


def rejection(found, expected):
    """Why `found` is not the result, or None; and its error if it has one."""
    if found.dtype != numpy.dtype("<f4"):
        return f"dtype {found.dtype.str}, required is <f4", None
    if found.shape != expected.shape:
        return f"shape {found.shape}, required is {expected.shape}", None
    if not numpy.isfinite(found).all():
        return f"{(~numpy.isfinite(found)).sum()} values are not finite", None
    error = nmse(found, expected)
    if not error <= MOST_NMSE:
        return f"NMSE {error:.3e} is above {MOST_NMSE:.0e}", error
    return None, error


def chosen_tensors(reader):
    """The two tensors under test, by what the file holds."""
    q4k = [t for t in reader.tensors if t.tensor_type == GGMLQuantizationType.Q4_K]
    named = [t for t in q4k if t.name == NAMED_TENSOR]
    downs = [t for t in q4k if t.name.startswith("blk.") and t.name.endswith(".ffn_down.weight")]
    if not named or not downs:
        names = ", ".join(t.name for t in q4k) or "none"
        raise SystemExit(
            f"check_matmul.py: error: the model lacks a Q4_K {NAMED_TENSOR} or "
            f"blk.*.ffn_down.weight (its Q4_K tensors: {names}): use the model that "
            "fetch_model.py fetches"
        )
    return [named[0], min(downs, key=lambda t: int(t.name.split(".")[1]))]


def run_spanker(spanker, model, tensor, x, folder):
    """Y as the program computes it. Raises ValueError with what went wrong."""
    given, made = folder / "x.npy", folder / "y.npy"
    made.unlink(missing_ok=True)
    numpy.save(given, x)
    command = [spanker, "matmul", "--weights", model, "--tensor", tensor]
    command += ["--input", given, "--output", made, "--json"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise ValueError(f"no result after {SECONDS} s") from None
    if result.returncode != 0:
        last = (result.stderr.strip() or result.stdout.strip() or "no message").splitlines()[-1]
        raise ValueError(f"exit code {result.returncode}: {last}")
    try:
        report = json.loads(result.stdout)
    except json.JSONDecodeError as error:
        raise ValueError(f"--json printed what is no JSON: {error}") from None
    if not isinstance(report, dict):
        raise ValueError("--json printed no JSON object")
    try:
        return numpy.load(made, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"no usable output file: {error}") from None


def check(spanker, model):
    """Run every case; returns how many checks passed and failed."""
    outcomes = []

    def say(good, text):
        outcomes.append(good)
        print(f"{'ok    ' if good else 'FAILED'} {text}", flush=True)

    generator = numpy.random.default_rng(SEED)
    with tempfile.TemporaryDirectory(prefix="spanker-check-") as name:
        for tensor in chosen_tensors(GGUFReader(model)):
            weights = dequantize(tensor.data, tensor.tensor_type).astype(numpy.float64)
            rows, k = weights.shape
            for n in ROW_COUNTS:
                case = f"{tensor.name} (k = {k}, {rows} rows) x {n}"
                x = generator.standard_normal((n, k)).astype(numpy.float32)
                expected = x.astype(numpy.float64) @ weights.T
                try:
                    y = run_spanker(spanker, model, tensor.name, x, Path(name))
                except ValueError as error:
                    say(False, f"{case}: {error}")
                    continue
                wrong, error = rejection(y, expected)
                say(wrong is None, f"{case}: {wrong or f'NMSE {error:.3e}'}")
                if wrong is None:
                    scaled = y * numpy.float32(CONTROL_GAIN)
                    refused, error = rejection(scaled, expected)
                    verdict = "rejected" if refused else "NOT rejected"
                    what = f"control, Y scaled by {CONTROL_GAIN}: NMSE {error:.3e}, {verdict}"
                    say(refused is not None, f"{case}: {what}")
    return outcomes.count(True), outcomes.count(False)


def main():
    if len(sys.argv) != 3 or sys.argv[1].startswith("-"):
        print(__doc__.strip())
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    model, spanker = (Path(given).resolve() for given in sys.argv[1:])
    for path in (model, spanker):
        if not path.is_file():
            print(f"check_matmul.py: error: there is no file {path}", file=sys.stderr)
            return 2
    passed, failed = check(spanker, model)
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
