#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the action does: builds spanker-abi from the sources it came with, and
# runs its check. The inputs come as ABI_* variables, so that no text of theirs
# is taken for shell.
set -euo pipefail

sources=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
root=${RUNNER_TEMP:-$(mktemp -d)}/spanker-abi

# Not libclang-cpp, which is another library.
has_libclang() {
	local libraries
	libraries=$(ldconfig -p; compgen -G '/usr/lib/llvm-*/lib/*' || true)
	[ -n "${LIBCLANG_PATH:-}" ] || grep -Eq 'libclang(-[0-9.]+)?\.so' <<<"$libraries"
}
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}
if ! has_libclang; then
	as_root apt-get update --quiet
	as_root apt-get install --yes --quiet --no-install-recommends libclang-dev
fi
cargo install --quiet --locked --path "$sources/crates/spanker-abi" --root "$root" \
	--target-dir "${CARGO_TARGET_DIR:-$root/target}"

arguments=(check --format github)
if [ -n "${ABI_VERSION_MACROS:-}" ]; then
	arguments+=(--version-macros "$ABI_VERSION_MACROS")
fi
# Adds an option for each line of a text that has something on it.
each_line() {
	local line
	while IFS= read -r line; do
		line="${line#"${line%%[![:space:]]*}"}"
		line="${line%"${line##*[![:space:]]}"}"
		[ -z "$line" ] || arguments+=("$1" "$line")
	done <<<"$2"
}
each_line --header "$ABI_HEADER"
each_line --snapshot "$ABI_SNAPSHOT"
each_line --target "${ABI_TARGETS:-}"
each_line --include "${ABI_INCLUDES:-}"
exec "$root/bin/spanker-abi" "${arguments[@]}"
