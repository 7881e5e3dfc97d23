#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What readers says of programs with another engine than OpenSSL, on every chain of the corpus of
# tests/nss: never the opposite of what GnuTLS, Go or Java says. corpus.sh [PATTERN]...
# shellcheck source=tests/nss/corpus.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../nss/corpus.sh"
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
command -v certtool >/dev/null || skip_all 'not here: no certtool of GnuTLS'
mkdir "$T/work"
if command -v go >/dev/null; then
    (cd "$T/work" && cp "$here/verify.go" . && GO111MODULE=off GOCACHE=$T/gocache go build -o verify-go verify.go) ||
        bad 'Go builds its verifier'
else
    skip 'not here: no Go'
fi
for java in /usr/lib/jvm/*/bin/javac; do
    [[ ! -x $java ]] || export XR_JAVA=${java%c}
done
[[ -n ${XR_JAVA:-} ]] || skip "not here: no Java that compiles"
cp "$here/Verify.java" "$T/work/"
image=$T/image
mkdir -p "$image"/usr/local/go/bin "$image/etc/ssl/certs"
cp "$(command -v bash)" "$image/usr/local/go/bin/go"
echo go1.19.8 >"$image/usr/local/go/VERSION"
make_corpus "$@"
expect_exit 0 'all are asked' "$python" "$here/corpus.py" "$corpus" "$image" "$T/work" "$XR_BIN" --worker "$XR_WORKER" --state "$state"
cp "$out" "$T/compared"
expect_no_grep 'nowhere is it the opposite' '^wrong' "$T/compared"
cut -c1-200 "$T/compared" | cat -v
count() {
    sed -n "s/^count $1 //p" "$T/compared" | grep . || echo 0
}
at_least 'yes is said' "$(count yes)" 20
at_least 'no is said' "$(count no)" 50
finish
