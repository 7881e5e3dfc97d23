#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# As opinions.sh, without browsers: opinions.tsv is what they said when it was measured.
set -euo pipefail
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
# shellcheck source=tests/nss/corpus.sh
. "$here/corpus.sh"

make_corpus "$@"
ask
grep -v '^#' "$here/opinions.tsv" >"$T/table"
compare "$T/table" 80 200
finish
