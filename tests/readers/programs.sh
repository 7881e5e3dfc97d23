#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# crossroot readers against the programs themselves: each that it names is run against loopback servers,
# in states of trust that crossroot made. Where it says yes or no the program must do that; how often
# it cannot tell is bounded, so that nobody passes by saying nothing.
# shellcheck source=tests/cacerts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cacerts/lib.sh"
XR_NEEDS_DPKG=1
# More programs of several versions, where they are: docs/readers.md has what came out.
if [[ -z ${XR_STAGE:-} ]]; then
    XR_ALSO=
    for at in /root/.pyenv /root/.rustup; do
        [[ -z ${XR_READERS_ALL:-} || ! -r $at ]] || XR_ALSO+=" $at"
    done
fi
export XR_ALSO
private_root "$@"
for name in $(compgen -e | grep -E '^(PIP|REQUESTS|NODE|GIT|CURL|JAVA|_JAVA|JDK|PERL|HTTPS|CARGO|GO)'); do
    unset "$name"
done
make_pki "$T/pki"
echo '127.0.0.1 localhost other.example' >/etc/hosts
rm -f /etc/pip.conf
for at in /root/.pyenv /root/.rustup; do
    [[ ! -d $at ]] || ln -s "$at" "$HOME/"
done

# --- servers

mkdir -p "$T/www/repo/info" "$T/www/simple/nosuch"
cd "$T/www"
cp "$P/old-root.crl.pem" crl
printf '0123456789012345678901234567890123456789\tHEAD\n' >'repo/info/refs'
cp "$P/leaf.pem" "$T/4001.pem"
cat "$P/leaf.pem" "$P/sub.pem" >"$T/4002.pem"
cat "$P/leaf.pem" "$P/sub.pem" "$P/cross.pem" >"$T/4003.pem"
/usr/bin/python3 "$XR_SOURCE/tests/readers/serve.py" "$P/leaf.key" "$T/www" 4001 "$T/4001.pem" \
    4002 "$T/4002.pem" 4003 "$T/4003.pem" 2>"$T/served" &
for ((i = 0; i < 300; i++)); do
    ! (: <"/dev/tcp/127.0.0.1/4003") 2>/dev/null || break
    sleep 0.1
done

# --- programs: does the one at PATH accept the server HOST:PORT?

if command -v go >/dev/null; then
    cat >"$T/get.go" <<'GO'
package main

import (
	"net/http"
	"os"
)

func main() {
	r, err := http.Get(os.Args[1])
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	r.Body.Close()
}
GO
    (cd "$T" && GO111MODULE=off GOCACHE=$T/gocache go build -o get get.go) || bad 'Go builds a client'
fi
python_get='import socket, ssl, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as s:
    ssl.create_default_context().wrap_socket(s, server_hostname=sys.argv[1])'
python_of() { # the Python that a package is of
    local prefix=${1%/lib/python3*}
    if [[ $1 == */dist-packages/* ]]; then
        echo /usr/bin/python3
    else
        echo "$prefix/bin/python3"
    fi
}
accepts() { # PROGRAM PATH HOST PORT
    local path=$2 host=$3 port=$4
    local url=https://$host:$port
    case $1 in
    curl) "$path" -sS -o /dev/null "$url/crl" ;;
    git) "$path" ls-remote "$url/repo" ;;
    wget) "$path" -q -O /dev/null "$url/crl" ;;
    apt) timeout 20 /usr/lib/apt/apt-helper -o APT::Sandbox::User=root -o Acquire::Retries=0 download-file "$url/crl" "$T/got.$RANDOM$RANDOM" ;;
    gnutls-cli) "$path" --port "$port" "$host" ;;
    'openssl s_client') "$path" s_client -connect "localhost:$port" -servername "$host" -verify_hostname "$host" -verify_return_error ;;
    Python) "$path" -c "$python_get" "$host" "$port" ;;
    'requests (Python)') "$(python_of "$path")" -c 'import sys, requests; requests.get(sys.argv[1])' "$url/crl" ;;
    'pip (Python)') pip_asks "$path" "$url" ;;
    Ruby) "$path" -ropen-uri -e 'URI.open(ARGV[0]).read' "$url/crl" ;;
    PHP) "$path" -r 'exit(@file_get_contents($argv[1]) === false ? 1 : 0);' "$url/crl" ;;
    'Perl (LWP)') "$path" -MLWP::UserAgent -e 'exit(LWP::UserAgent->new->get($ARGV[0])->is_success ? 0 : 1)' "$url/crl" ;;
    Java) "${path%/*}/keytool" -printcrl -file "$url/crl" ;;
    Node.js) "$path" -e 'require("https").get(process.argv[1], r => process.exit(0)).on("error", e => { console.error(e.code); process.exit(1) })' "$url/crl" ;;
    'programs in Go') "$T/get" "$url/crl" ;;
    cargo) cargo_asks "$path" "$url" ;;
    *) return 99 ;;
    esac
}
# Without a package there, a server that is trusted is one that was understood to have none.
pip_asks() {
    timeout 60 "$(python_of "$1")" -m pip --disable-pip-version-check download --no-deps --no-cache-dir --retries 0 \
        --timeout 20 -d "$T/p" -i "$2/simple" nosuch >"$T/pip" 2>&1
    cat "$T/pip"
    grep -q 'No matching distribution' "$T/pip" && ! grep -qi 'certificate' "$T/pip"
}
cargo_asks() {
    CARGO_HOME=$T/cargo CARGO_NET_RETRY=0 timeout 60 "$1" search --index "sparse+$2/" x >"$T/cargo.out" 2>&1
    cat "$T/cargo.out"
    ! grep -qi 'SSL peer certificate\|certificate problem' "$T/cargo.out"
}

# --- what crossroot says beside what they do

slow='' # programs that are not asked now: they take a second each
declare -A asked_of knew of_program spent
ask() { # STATE HOST PORT: compares all programs
    local state=$1 host=$2 port=$3 row program path ok_is does wrong=0 rows=0
    local -A done=()
    run cr --scope system readers "$T/$port.pem" --host "$host" --json
    if ! jq_rows >"$T/rows"; then
        bad "$state, $host:$port: no document"
        show_output
        return
    fi
    while IFS=$'\t' read -r program path ok_is; do
        case $program in Firefox | Chromium | Thunderbird) continue ;; esac
        [[ ! $program =~ ^($slow)$ ]] || continue
        does=true
        rows=$((rows + 1))
        started=${EPOCHREALTIME/[.,]/}
        if ! accepts "$program" "$path" "$host" "$port" >"$T/said" 2>&1 </dev/null; then
            does=false
        fi
        spent[$program]=$((${spent[$program]:-0} + (${EPOCHREALTIME/[.,]/} - started) / 1000))
        asked_of[$program]=$((${asked_of[$program]:-0} + 1))
        if [[ $ok_is == null ]]; then
            continue
        fi
        knew[$program]=$((${knew[$program]:-0} + 1))
        of_program[$program:$ok_is]=1
        if [[ $ok_is != "$does" ]]; then
            wrong=$((wrong + 1))
            printf '      %s (%s): readers says %s, it does %s: %s\n' "$program" "$path" "$ok_is" "$does" "$(tail -n 1 "$T/said" | cat -v | cut -c1-150)"
            grep -F "$path" "$out" | cut -c1-900
        fi
    done <"$T/rows"
    : >"$out"
    expect_eq "$state, $host:$port: $rows programs do what readers says" "$wrong" 0
}
jq_rows() {
    /usr/bin/python3 -c 'import json, sys
for r in json.load(open(sys.argv[1]))["readers"]:
    if r["path"]: print(r["program"], r["path"], json.dumps(r["ok"]), sep="\t")' "$out"
}
ask_all() { # STATE
    local port
    for port in 4001 4002 4003; do
        ask "$1" localhost "$port"
    done
}

run update-ca-certificates
ask 'nothing' localhost 4002
expect_exit 0 'the old root' cr install "$P/old-root.pem" --yes
ask_all 'the old root'
slow='pip.*'
ask 'the old root, another host' other.example 4003
expect_exit 0 'and the cross certificate as an anchor' cr install --as anchor --yes "$P/cross.pem"
ask_all 'and the cross certificate as an anchor'
run cr undo
run cr undo
expect_exit 0 'the cross certificate alone as an anchor' cr install --as anchor --yes "$P/cross.pem"
ask_all 'the cross certificate alone as an anchor'
run cr undo
expect_exit 0 'the new root' cr install "$P/new-root.pem" --yes
ask_all 'the new root'
ask 'the new root, another host' other.example 4002
run cr undo
mkdir /usr/share/ca-certificates/made
cp "$P/new-root.pem" /usr/share/ca-certificates/made/new-root.crt
echo made/new-root.crt >>/etc/ca-certificates.conf
run update-ca-certificates
ask 'a packaged root' localhost 4002
expect_exit 0 'distrusted' cr distrust --best-effort --yes "$P/new-root.pem"
ask 'distrusted' localhost 4002

# --- variables

cp "$P/new-root.pem" "$T/root.pem"
slow='Java|Ruby|pip.*'
for name in SSL_CERT_FILE CURL_CA_BUNDLE REQUESTS_CA_BUNDLE NODE_EXTRA_CA_CERTS GIT_SSL_CAINFO PIP_CERT PERL_LWP_SSL_CA_FILE; do
    export "$name=$T/root.pem"
    [[ $name != PIP_CERT ]] || slow='Java|Ruby'
    ask "$name" localhost 4002
    run cr --scope system readers --json
    expect_grep "$name is named" "\"because\": \"$name\"" "$out"
    unset "$name"
done
cp "$P/cross.pem" "$T/root.pem"
NODE_EXTRA_CA_CERTS=$T/root.pem SSL_CERT_FILE=$T/root.pem ask 'variables with the cross certificate' localhost 4002
mkdir "$T/hashed"
cp "$P/new-root.pem" "$T/hashed/"
run openssl rehash "$T/hashed"
SSL_CERT_DIR=$T/hashed ask 'SSL_CERT_DIR' localhost 4002
NODE_OPTIONS=--use-openssl-ca ask 'NODE_OPTIONS' localhost 4002
NODE_OPTIONS=--use-openssl-ca SSL_CERT_FILE=$P/new-root.pem ask 'NODE_OPTIONS and SSL_CERT_FILE' localhost 4002

# --- how much was said

for program in "${!asked_of[@]}"; do
    printf '      %-20s %3d of %3d questions answered, %d ms\n' "$program" "${knew[$program]:-0}" "${asked_of[$program]}" "${spent[$program]}"
done
for program in curl git wget 'openssl s_client' Python gnutls-cli Java; do
    if [[ -z ${asked_of[$program]:-} ]]; then
        skip "not here: no $program"
    elif [[ $((10 * ${knew[$program]:-0})) -lt $((6 * ${asked_of[$program]})) ]]; then
        bad "readers knows of $program in most states: ${knew[$program]:-0} of ${asked_of[$program]}"
    elif [[ -z ${of_program[$program:true]:-} || -z ${of_program[$program:false]:-} ]]; then
        bad "readers says yes and no of $program"
    else
        ok "readers knows of $program in most states"
    fi
done
finish
