#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the program prints, word for word, against golden/; and the manners of its command line.
# XR_UPDATE_GOLDEN=1 writes golden/ anew: read the difference before committing it.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

golden=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/golden" && pwd -P)
make_pki "$T/pki"
"${XR_MKODD:?}" "$T/odd"
cd "$T"
dir=$T/trust
s=(--store "openssl:$dir")

# Fingerprints become <FILE>, and the rest of what differs from run to run becomes a word.
{
    printf 's#%s#TMP#g\n' "$T"
    printf 's/remove %s$/remove <old-root.pem>/\n' "$(sha "$P/old-root.pem" | head -c 12)"
    awk '!seen[$2]++ {
        printf "s/%s/<sha256 of %s>/g\n", $2, $1
        printf "s/%s…/<%s>…/g\n", substr($2, 1, 16), $1
        printf "s/%s\\\\u2026/<%s>/g\n", substr($2, 1, 16), $1
        printf "s/%s/<sha1 of %s>/g\n", $3, $1
    }' "$P/pins.txt" odd/pins.txt
    for crl in "$P"/*.crl.pem; do
        printf 's/%s/<sha256 of %s>/g\n' \
            "$(openssl crl -in "$crl" -outform DER | sha256sum | cut -c1-64)" "${crl##*/}"
    done
    cat <<'END'
s/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z/DATE/g
s/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} \+0000/DATE/g
s/  [0-9]{4}-[0-9]{2}-[0-9]{2}  /  YYYY-MM-DD  /g
s/\b[0-9a-f]{64}\b/<sha256>/g
s/\b[0-9a-f]{16}\b/<transaction>/g
s/(serial"?:? +"?)[0-9]{12,}/\1<serial>/
s/OpenSSL [0-9]+\.[0-9]+\.[0-9]+[^ "]*/OpenSSL VERSION/g
s/(DATE  )[^: ]+: /\1USER: /
s/"by": "[^"]*", "undoes"/"by": "USER", "undoes"/
s/after [0-9]+ bytes/after N bytes/
END
} >"$T/normal.sed"

asked=''
# says NAME CODE ARGUMENT...: the program's whole answer is golden/NAME.txt.
says() {
    local name=$1 code=$2
    shift 2
    asked+=" $name "
    run xr "$@"
    {
        printf '$ crossroot %s\n' "$*"
        cat "$out"
        [[ -s $err ]] && {
            echo '--- stderr'
            cat "$err"
        }
        printf -- '--- exit %s\n' "$rc"
    } | sed -E -f "$T/normal.sed" >"$T/said"
    if [[ -n ${XR_UPDATE_GOLDEN:-} ]]; then
        cp "$T/said" "$golden/$name.txt"
    fi
    expect_same "$name" "$golden/$name.txt" "$T/said"
    [[ $rc -eq $code ]] || bad "$name: exit $rc, expected $code"
}
# both NAME CODE ARGUMENT...: as text and as JSON; only for what changes nothing.
both() {
    local name=$1 code=$2
    shift 2
    says "$name" "$code" "$@"
    says "$name-json" "$code" --json "$@"
    json '' "$out" || bad "$name: not one JSON document"
}

both inspect-family 0 inspect --only-files pki/new-root.pem pki/cross.pem pki/old-root.pem
both inspect-oddities 1 inspect --only-files pki/leaf.pem pki/hostile-name.pem pki/v1-root.pem pki/only-key.pem \
    pki/missing.pem pki/old-root-revokes-cross.crl.pem pki/old-root-trusted.pem pki/expired-cross.pem
both inspect-kinds 0 inspect --only-files odd/self-signed.pem odd/self-signed-server.pem odd/malformed.pem \
    odd/malformed-names.pem odd/md2.pem odd/unknown-key.pem odd/trusted.pem
both inspect-refused 0 inspect --only-files odd/padded-serial.pem odd/no-seconds.pem odd/undecodable-name.pem
both stores-absent 0 "${s[@]}" stores
both list-absent 0 "${s[@]}" list
both history-empty 0 history
both install-root-asks 7 "${s[@]}" install pki/old-root.pem
both install-root-dry 0 "${s[@]}" --dry-run install pki/old-root.pem
says install-root 0 "${s[@]}" --yes install pki/old-root.pem
both install-root-again 0 "${s[@]}" install pki/old-root.pem
both verify-no 6 "${s[@]}" verify pki/sub.pem
both install-cross-dry 0 "${s[@]}" --dry-run install pki/cross.pem
says install-cross-json 0 "${s[@]}" --json install pki/cross.pem --pin "$(sha pki/cross.pem)"
both verify-yes 0 "${s[@]}" verify pki/leaf-chain.pem --host localhost
both list 0 "${s[@]}" list
both list-managed 0 "${s[@]}" list --managed
both stores 0 "${s[@]}" stores
both inspect-with-store 0 "${s[@]}" inspect pki/new-root.pem
both install-leaf 1 "${s[@]}" install pki/leaf.pem
both install-odd 4 "${s[@]}" --dry-run install odd/self-signed.pem odd/self-signed-server.pem \
    odd/malformed.pem odd/md2.pem odd/no-seconds.pem
both install-self-signed 0 "${s[@]}" --dry-run install --as anchor odd/self-signed.pem
both undo-dry 0 undo --dry-run
says undo 0 undo
says install-cross 0 "${s[@]}" install pki/cross.pem
says distrust-refused 1 "${s[@]}" distrust pki/cross.pem
both distrust-dry 0 "${s[@]}" --dry-run distrust --best-effort pki/cross.pem
says distrust 6 "${s[@]}" distrust --best-effort pki/cross.pem
both undo-asks 7 undo
says remove 0 "${s[@]}" remove "$(sha pki/old-root.pem | head -c 12)"
both remove-not-there 0 "${s[@]}" remove pki/old-root.pem
both history 0 history
both recover-nothing 0 recover
says recover-store 0 "${s[@]}" recover
says install-crl-refused 1 "${s[@]}" install pki/old-root.crl.pem

# Recovery that is pending, and then done: a journal cut right after an intent.
if can_trace; then
    rm -rf "$dir" "$state"
    traced -o /dev/null -e trace=renameat -e inject=renameat:signal=KILL:when=2 "$XR_BIN" \
        --worker "$XR_WORKER" --state "$state" "${s[@]}" install --yes pki/old-root.pem \
        >/dev/null 2>&1 </dev/null || true
    both history-pending 0 history
    both recover-dry 0 recover --dry-run
    says recover 0 recover
    says recover-json 0 --json recover
else
    skip 'strace is missing: no pending recovery'
fi

# Mistakes.
both no-command 2
both unknown-command 2 instal pki/cross.pem
both unknown-option 2 --jsn list
both misplaced-option 2 list --pin 00
both missing-value 2 list --store
both missing-file 2 install
both too-many 2 list this
both unknown-letter 2 list -z
both bad-place 2 install --as root pki/cross.pem
both bad-scope 2 --scope everyone list
both bad-date 2 verify --at tomorrow pki/cross.pem
both bad-backend 2 --store nss3:/x list
both bad-pin 2 "${s[@]}" install pki/sub.pem --pin 1234
says version 0 --version
for pair in 'instal install' 'inspekt inspect' 'undoo undo' 'histroy history' 'verfiy verify' 'ls list' \
    'recove recover' 'dis distrust' 'store stores' 'trust install' 'import install' 'delete remove' \
    'del remove' 'block distrust' 'blacklist distrust' 'revoke distrust' 'check verify' 'log history' \
    'rollback undo' 'revert undo' 'untrust distrust' 'mistrust distrust' 'distrus distrust' \
    'uninstal remove' 'deinstall remove' 'complete completion'; do
    run xr "${pair% *}"
    expect_grep "${pair% *}: did you mean ${pair#* }" "did you mean ${pair#* }\\?" "$err"
    expect_eq "${pair% *} is not done as ${pair#* }" "$rc" 2
done
for word in uninst uninstalll unistall deinstal disinstall desinstall misinstall untrus detrust noinstall no-install; do
    run xr "$word"
    expect_no_grep "$word never suggests install" 'mean install' "$err"
done
for word in trusts trus entrus itrust instal inst reinstal; do
    run xr "$word"
    expect_no_grep "$word never suggests distrust or remove" 'mean (distrust|remove)' "$err"
done
for word in frobnicate x zzz; do
    run xr "$word"
    expect_no_grep "$word suggests nothing" 'did you mean' "$err"
done
run xr list --no-yes
expect_no_grep '--no-yes does not suggest --yes' 'did you mean' "$err"
for pair in 'stroe store' 'exclude exclude-store' 'dryrun dry-run' 'all-or-nothin all-or-nothing' 'pins pin' \
    'verbos verbose'; do
    run xr list "--${pair% *}" x
    [[ ${pair% *} == exclude ]] && continue
    expect_grep "--${pair% *}: did you mean --${pair#* }" "did you mean --${pair#* }\\?" "$err"
done
run xr --json -n frobnicate
expect_json 'a usage error is one JSON document' 'exit' 2
run xr frobnicate --json
expect_json 'wherever --json stands' 'exit' 2
[[ ! -s $err ]] && ok 'and says nothing on standard error'

# Help: every command, on one screen, with an example in the default scope.
fits() { # NAME
    expect_eq "$1 is at most 24 lines" "$([[ $(wc -l <"$out") -le 24 ]] && echo yes)" yes
    expect_eq "and 80 columns" "$([[ $(wc -L <"$out") -le 80 ]] && echo yes)" yes
}
says help 0 --help
fits 'help'
cp "$out" "$T/all"
run xr help
expect_same 'help without a word is the same' "$T/all" "$out"
says help-options 0 help options
fits 'help of the options'
says help-licences 0 help licences
cp "$out" "$T/help"
run xr help licenses
expect_same 'in American English too' "$T/help" "$out"
for verb in inspect stores list install remove distrust verify undo history recover show readers extract diff chain completion; do
    says "help-$verb" 0 "$verb" --help
    fits "help of $verb"
    cp "$out" "$T/help"
    expect_grep 'with an example' "^  crossroot $verb" "$T/help"
    expect_no_grep 'in the default scope' "^  crossroot.* --(store|scope)" "$T/help"
    run xr help "$verb"
    expect_same "help $verb is the same" "$T/help" "$out"
    run xr "$verb" -h
    expect_same "$verb -h is the same" "$T/help" "$out"
    expect_grep "$verb is in the list of commands, as an example" "^  crossroot $verb( [a-z0-9.]+)? +[a-z]" "$T/all"
done
if LANGUAGE=ja xr --help | grep -q '使い方'; then
    LANGUAGE=ja says help-japanese 0 --help
    LANGUAGE=ja says help-install-japanese 0 install --help
else
    asked+=' help-japanese  help-install-japanese '
    skip 'not here: the program was built without gettext, or with XR_NLS=OFF'
fi
for pair in 'add install' 'rm remove' 'uninstall remove'; do
    xr help "${pair#* }" >"$T/help"
    run xr "${pair% *}" --help
    expect_same "${pair% *} is ${pair#* }" "$T/help" "$out"
done
run xr add
expect_grep 'and says so in what it says' '^crossroot: error: install needs a file' "$err"
run xr version
expect_same 'version is --version' <(xr --version) "$out"
# What the man page says of the exit codes is what --help says.
run xr help options
for code in 0 1 2 4 5 6 7 130; do
    expect_grep "exit code $code is in the help" "(Exit:|,|^) ?$code [a-z]" "$out"
    expect_grep "and in the man page" "^\\|\\[ \\*$code\\*\$" "${BASH_SOURCE[0]%/*}/../../cli/man/crossroot.1.scd"
done

# Options stand anywhere; -- ends them.
rm -rf "$dir" "$state"
xr "${s[@]}" --yes install pki/old-root.pem >/dev/null
xr "${s[@]}" list >"$T/list"
run xr list "${s[@]}"
expect_same 'global options after the verb' "$T/list" "$out"
run xr list "--store=openssl:$dir"
expect_same 'a value after an equals sign' "$T/list" "$out"
run xr "${s[@]}" install pki/cross.pem -n -v
expect_eq 'letters after the operands' "$rc" 0
run xr -nv "${s[@]}" install pki/cross.pem
expect_eq 'letters in one word' "$rc" 0
cp pki/cross.pem ./--json
run xr inspect --only-files -- --json
expect_eq 'a file named like an option: exit' "$rc" 0
expect_grep 'and not taken for one' 'Crossroot Test New Root' "$out"
run xr "${s[@]}" -q install pki/cross.pem
expect_eq '-q: nothing on standard output' "$(cat "$out" "$err")" ''
run xr -q --json history
expect_json '-q leaves JSON alone' 'transactions#' 2
run xr -q frobnicate
expect_eq '-q leaves errors alone' "$([[ -s $err ]] && echo yes)" yes

# Colour: on a terminal that wants it, and nowhere else.
if command -v script >/dev/null; then
    on_terminal() {
        # Single quotes: the shell that script starts expands them.
        # shellcheck disable=SC2016
        env "$@" B="$XR_BIN" W="$XR_WORKER" S="$state" D="$dir" \
            script -qec '"$B" --worker "$W" --state "$S" --store "openssl:$D" list' /dev/null
    }
    run on_terminal TERM=xterm
    expect_grep 'colour on a terminal' $'\033' "$out"
    run on_terminal TERM=xterm NO_COLOR=1
    expect_no_grep 'none with NO_COLOR' $'\033' "$out"
    run on_terminal TERM=xterm NO_COLOR=
    expect_grep 'an empty NO_COLOR is none' $'\033' "$out"
    run on_terminal TERM=dumb
    expect_no_grep 'none with TERM=dumb' $'\033' "$out"
else
    skip 'script is missing: no terminal'
fi
run env TERM=xterm "$XR_BIN" --state "$state" "${s[@]}" list
expect_no_grep 'no colour in a pipe' $'\033' "$out"

# Nobody reads the answer: that is no success.
full() {
    rc=0
    "$XR_BIN" --worker "$XR_WORKER" --state "$state" "$@" >/dev/full 2>"$err" </dev/null || rc=$?
    expect_eq "to a full disk: $*" "$([[ $rc -ne 0 && $rc -lt 124 ]] && echo fails)" fails
    rc=0
    "$XR_BIN" --worker "$XR_WORKER" --state "$state" "$@" >&- 2>"$err" </dev/null || rc=$?
    expect_eq "to a closed descriptor: $*" "$([[ $rc -ne 0 && $rc -lt 124 ]] && echo fails)" fails
}
full "${s[@]}" list
full --json "${s[@]}" list
full inspect pki/all.pem
full --json inspect pki
full --help
full install --help
full --version
full history
# What was changed is changed, and its number is not lost.
unwritten() { # WHY WHAT: of a change just tried
    id=$(xr --json history | json 'transactions[0].transaction' /dev/stdin)
    expect_eq "$2: exit" "$rc" 1
    expect_eq "$2: the first message has the reason and the transaction" "$(head -n 1 "$err")" \
        "crossroot: error: what was done is recorded as transaction $id, but the output could not be written: $1"
}
rm -rf "$dir" "$state"
rc=0
xr "${s[@]}" --yes install pki/old-root.pem >/dev/full 2>"$err" </dev/null || rc=$?
unwritten 'No space left on device' 'a change, to a full disk'
rc=0
xr "${s[@]}" --json install pki/cross.pem >&- 2>"$err" </dev/null || rc=$?
unwritten 'Bad file descriptor' 'a change, to a closed descriptor'
rc=0
: | sleep 0 # a reader that is gone
xr "${s[@]}" --yes remove pki/cross.pem 2>"$err" </dev/null > >(exec true) || rc=$?
[[ $rc -eq 0 ]] || unwritten 'Broken pipe' 'a change, to a pipe that nobody reads'
rc=0
xr "${s[@]}" list >/dev/full 2>"$err" </dev/null || rc=$?
expect_eq 'where nothing was changed, the reason is all' "$(<"$err")" \
    'crossroot: error: the output could not be written: No space left on device'
expect_exit 0 'undo of what was not shown' xr undo --yes
# A closed standard stream must not become the journal or a certificate of the store.
rm -rf "$dir" "$state"
"$XR_BIN" --worker "$XR_WORKER" --state "$state" "${s[@]}" --yes install pki/old-root.pem \
    <&- >&- 2>&- || true
run xr history --json
expect_json 'with all three streams closed the journal stays whole' 'messages#' 0
expect_eq 'and the store' "$(cat "$dir/anchors.pem")" "$(openssl x509 -in pki/old-root.pem)"

# No locale and no working directory is needed.
run env -i "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${s[@]}" list --json
expect_eq 'an empty environment' "$rc" 0
xr --json inspect --only-files pki/utf8.pem >"$T/json-utf8"
LC_ALL=C xr --json inspect --only-files pki/utf8.pem >"$T/json-c"
expect_same 'JSON is the same in every locale' "$T/json-utf8" "$T/json-c"
mkdir gone
run bash -c 'cd "$1" && rmdir "$1" && shift && "$@"' - "$T/gone" "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${s[@]}" list
expect_eq 'a working directory that is gone' "$rc" 0

# Every golden file is still asked for.
for file in "$golden"/*.txt; do
    name=${file##*/}
    [[ $asked == *" ${name%.txt} "* ]] || [[ $name == *pending* || $name == recover* ]] ||
        bad "golden/$name is not used"
done
finish
