#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The command in Japanese: when it speaks it, on one screen, in shells, and at a question.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
LANGUAGE=ja xr --help | grep -q '使い方' ||
    skip_all 'not here: the program was built without gettext, or with XR_NLS=OFF'
make_pki "$T/pki"
cd "$T"
s=(--store "openssl:$T/trust")

# ---- which language ----

# speaks LANGUAGE VARIABLE=VALUE...: with these variables alone
speaks() {
    local wanted=$1
    shift
    run env -u LC_ALL "$@" "$XR_BIN" --help
    expect_eq "$wanted: ${*:-no variable}" "$(grep -q '使い方' "$out" && echo Japanese || echo English)" "$wanted"
}
speaks English
speaks Japanese LANG=ja_JP.UTF-8
speaks Japanese LANG=ja_JP.utf8
speaks Japanese LANG=ja_JP
speaks Japanese LANG=ja
speaks Japanese LC_MESSAGES=ja_JP.UTF-8 LANG=de_DE.UTF-8
speaks Japanese LC_ALL=ja_JP.UTF-8 LC_MESSAGES=C LANG=C
speaks English LC_ALL=C LANG=ja_JP.UTF-8
speaks English LC_ALL=C LANGUAGE=ja
speaks English LANG=POSIX LANGUAGE=ja
speaks Japanese LANG=C.UTF-8 LANGUAGE=ja
speaks Japanese LANGUAGE=ja
speaks Japanese LANG=de_DE.UTF-8 LANGUAGE=de:ja:en
speaks English LANG=ja_JP.UTF-8 LANGUAGE=en:ja
speaks English LANG=ja_JP.UTF-8 LANGUAGE=de
speaks Japanese LANG=ja_JP.UTF-8 LANGUAGE=
speaks Japanese LC_ALL= LANG=ja_JP.UTF-8
# What is written is UTF-8, which those do not show.
speaks English LANG=ja_JP.eucJP
speaks English LANG=ja_JP.SJIS LANGUAGE=ja
speaks English LANG=jav_ID.UTF-8
speaks English LANG=de_DE.UTF-8
speaks English LANG="$(head -c 5000 /dev/zero | tr '\0' j)"
export LANGUAGE=ja

# ---- help ----

fits() { # WHAT ARGUMENT...
    local what=$1
    shift
    run xr "$@"
    expect_eq "$what is at most 24 lines of 80 columns" \
        "$([[ $(wc -l <"$out") -le 24 && $(wc -L <"$out") -le 80 ]] && echo yes)" yes
    expect_eq "$what is Japanese" "$(grep -c -E 'Usage|Options|Example|To [a-z]' "$out")" 0
}
fits 'help' --help
fits 'help of the options' help options
for verb in inspect stores list install remove distrust verify undo history recover show readers extract diff chain completion; do
    fits "help of $verb" "$verb" --help
done

# ---- JSON is English ----

for ask in 'list' 'inspect --only-files pki/cross.pem' 'frobnicate' 'list --pin 00' 'install pki/old-root.pem'; do
    # Words of a command line.
    # shellcheck disable=SC2086
    run xr --json "${s[@]}" $ask
    expect_eq "nothing beside JSON: $ask" "$(cat "$err")" ''
    sed -E 's/"[0-9TZ:-]{20}"/DATE/g' "$out" >"$T/japanese"
    # shellcheck disable=SC2086
    LANGUAGE='' run xr --json "${s[@]}" $ask
    sed -E 's/"[0-9TZ:-]{20}"/DATE/g' "$out" >"$T/english"
    expect_same "JSON is the same in Japanese: $ask" "$T/english" "$T/japanese"
done

# ---- output that fails ----

rc=0
xr list "${s[@]}" >/dev/full 2>"$err" || rc=$?
expect_eq 'a full disk: exit' "$rc" 1
expect_eq 'and the reason' "$(<"$err")" \
    'crossroot: エラー: 出力を書き込めませんでした: デバイスに空き領域がありません'
rc=0
xr --json list "${s[@]}" >/dev/full 2>"$err" || rc=$?
expect_eq 'in English beside JSON' "$(<"$err")" \
    'crossroot: error: the output could not be written: No space left on device'

# ---- a question ----

cat >answer.py <<'END'
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown, asked = b"", False
while True:
    try:
        got = os.read(terminal, 4096)
    except OSError:
        break
    if not got:
        break
    shown += got
    if not asked and "[y/N".encode() in shown and shown.endswith(b"] "):
        asked = True
        os.write(terminal, (sys.argv[1] + "\n").encode())
sys.stdout.buffer.write(shown)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
# answer TEXT: to the question of install; its exit code to $rc and what the terminal showed to $out
answer() {
    rm -rf trust "$state"
    run python3 answer.py "$1" "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${s[@]}" install pki/old-root.pem
}
if [[ $XR_BIN == *.exe ]]; then
    skip 'a terminal of this system is another one'
else
    for yes in y Y yes YES ' y ' ｙ Ｙ はい; do
        answer "$yes"
        expect_eq "yes: $yes" "$rc" 0
        expect_grep 'as it was asked' '続行しますか\? \[y/N\(はい/いいえ\)\] ' "$out"
    done
    # "stop", "won't", and what a cat may type
    for no in n いいえ '' はいな ん j yamete yameru ｙａｍｅｔｅ yy 'y n' "y$(printf '%70s' n)" $'y\004\004'; do
        answer "$no"
        expect_eq "no: ${no:-a line without anything}" "$rc" 1
        expect_absent 'and nothing is changed' trust/anchors.pem
    done
fi

# ---- completion ----

for shell in bash zsh fish; do
    expect_exit 0 "completion $shell" xr completion "$shell"
    cp "$out" "$T/completion.$shell"
done
expect_exit 0 'bash reads it' bash -n completion.bash
LANGUAGE='' xr completion bash >english
expect_same 'and it has no descriptions' english completion.bash
summary=$(xr --help | sed -n 's/^  crossroot undo *//p')
expect_eq 'the help has a summary' "${summary:+yes}" yes
if command -v fish >/dev/null; then
    expect_exit 0 'fish reads it' fish -n completion.fish
    run fish --no-config -c "source completion.fish; complete -C 'crossroot und'"
    expect_eq 'fish shows the Japanese description' "$(cat "$out")" "undo	$summary"
else
    skip 'fish is missing'
fi
if command -v zsh >/dev/null; then
    expect_exit 0 'zsh reads it' zsh -n completion.zsh
    mkdir functions
    cp completion.zsh functions/_crossroot
    cat >ask.zsh <<'END'
zmodload zsh/zpty
zpty it zsh -f -i
zpty -w it "PS1= PS2= RPS1=; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; LISTMAX=0; print RE''ADY"
zpty -r it line '*READY*'
zpty -w -n it $'crossroot \t'
zpty -r it line '*version *'
print -r -- $line
zpty -w it $'\C-u'"print D''ONE"
zpty -r it line '*DONE*'
print -r -- $line
END
    run timeout 60 zsh -f ask.zsh "$T/functions"
    expect_grep 'zsh shows the Japanese description' "undo +-- $summary" "$out"
else
    skip 'zsh is missing'
fi
finish
