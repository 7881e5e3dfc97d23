#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Hundreds of odd source files: verify equals openssl verify over the same published bytes, whatever was
# published, and no neighbour is lost. Arguments: only these cases.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
mkdir "$T/odd"
if /usr/bin/python3 "$(dirname -- "${BASH_SOURCE[0]}")/odd_sources.py" "$T/odd" "$@"; then
    ok 'the corpus of odd files'
else
    bad 'the corpus of odd files'
fi
finish
