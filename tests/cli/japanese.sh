#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The job that started it, in Japanese: what people read has no English sentence in it, and fits the
# terminal.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

LANGUAGE=ja xr --help | grep -q '使い方' ||
    skip_all 'not here: the program was built without gettext, or with XR_NLS=OFF'
make_pki "$T/pki"
cd "$T"

# Data that stays as it is: what is left of a line without it has no two English words side by side.
cat >allowed.sed <<END
s/CN=[A-Za-z ]*,O=Crossroot/·/g
s/Crossroot Test (Old Root|New Root|Sub CA)/·/g
s/crossroot (undo|recover)( [0-9a-f]{16})?/·/g
s/(OpenSSL|libnss3) [0-9.]+[a-z]*( X509_verify_cert)?/·/g
s/OpenSSL X509_verify_cert|Node\.js|SEC_ERROR_[A-Z_]+/·/g
s/(openssl|nss):[A-Za-z0-9._/-]+/·/g
s#(/|pki/)[A-Za-z0-9._/-]+#·#g
s/[a-z]+\.pem/·/g
s/[0-9a-f]{16,}/·/g
s/(^|[^A-Za-z0-9_-])--?[a-z-]+/\1·/g
s/\b$(id -un): (install|undo)/·/g
END
english() {
    sed -E -f allowed.sed "$1" | grep -E '[A-Za-z]{2,}[][ ,.;:()"]+[A-Za-z]{2,}' || true
}

japanese() {
    env -u LC_ALL LANGUAGE=ja LANG=C.UTF-8 TZ=Asia/Tokyo \
        "$XR_BIN" --worker "$XR_WORKER" --state "$state" "$@"
}

# says CODE PATTERN ARGUMENT...: what both streams say has PATTERN and no English.
says() {
    local code=$1 pattern=$2
    shift 2
    expect_exit "$code" "exit $code: $*" japanese "$@"
    cat "$out" "$err" >both
    expect_grep "it says $pattern" "$pattern" both
    english both >words
    if [[ -s words ]]; then
        bad "English: $*"
        sed 's/^/    /' words
    else
        ok "all of it is Japanese: $*"
    fi
}

fits() {
    local line
    command -v script >/dev/null || return 0
    printf -v line ' %q' env -u LC_ALL LANGUAGE=ja LANG=C.UTF-8 "$XR_BIN" --worker "$XR_WORKER" \
        --state "$state" "$@"
    script -qec "stty cols 80; exec$line" /dev/null 2>&1 </dev/null | tr -d '\r' >"$out" || true
    expect_eq "no line is wider than 80 cells: $*" "$([[ $(wc -L <"$out") -le 80 ]] && echo yes)" yes
}

# flow STORE
flow() {
    local s=(--store "$1")
    says 7 '確認|--yes' "${s[@]}" install pki/old-root.pem
    says 0 '変更予定' "${s[@]}" install --dry-run pki/old-root.pem
    says 0 '完了' "${s[@]}" install --yes pki/old-root.pem
    says 6 '不可' "${s[@]}" verify pki/sub.pem
    says 0 '元に戻すには' "${s[@]}" install pki/cross.pem --pin "sha256:$(sha pki/cross.pem)"
    says 0 '変更なし' "${s[@]}" install pki/cross.pem
    says 0 '可' "${s[@]}" verify pki/sub.pem
    says 0 'サブジェクト' "${s[@]}" list
    says 0 '発行者' "${s[@]}" -v list
    says 0 '有効期間' "${s[@]}" inspect pki/cross.pem pki/sub.pem
    says 0 '所在' "${s[@]}" show pki/cross.pem
    says 0 '検証プログラム' "${s[@]}" stores
    says 0 '追加 +中間' "${s[@]}" history
    says 0 '変更予定' undo --dry-run
    says 0 '削除 +中間' undo
    says 6 '不可' "${s[@]}" verify pki/sub.pem
    says 0 '元に戻し済み' "${s[@]}" history
    says 1 'エラー' "${s[@]}" install pki/missing.pem
    fits "${s[@]}" list
    fits "${s[@]}" inspect pki/cross.pem
    fits "${s[@]}" stores
    fits "${s[@]}" install --dry-run pki/cross.pem
}

flow "openssl:$T/trust"
mkdir nss
if xr --store "nss:$T/nss" stores 2>/dev/null | grep -q '^  writable *yes'; then
    flow "nss:$T/nss"
else
    skip 'no NSS here'
fi

# What pages print in Japan can be compared with.
run japanese inspect --only-files pki/cross.pem
expect_grep 'the validity in local time' \
    '^ +20[0-9-]{8} [0-9:]{8} \+0900 ～ 20[0-9-]{8} [0-9:]{8} \+0900$' "$out"
run env TZ=UTC "$XR_BIN" --worker "$XR_WORKER" --state "$state" inspect --only-files pki/cross.pem
expect_no_grep 'but not where that is UTC' '\+0000' "$out"

# JSON is for programs.
run japanese --json inspect --only-files pki/cross.pem
cp "$out" japanese.json
run xr --json inspect --only-files pki/cross.pem
expect_same 'JSON is the same in every language' "$out" japanese.json
finish
