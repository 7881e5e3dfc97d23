# shellcheck shell=sh
# make_pki DIR: certificates for a test, made by openssl: old-root.pem, new-root.pem, cross.pem (the
# new root's name and key, signed by the old root) and sub.pem (a CA below the new root). old-root.pin
# and so on are their fingerprints.
make_pki() {
    (
        cd "$1" || exit 1
        cat >config <<'END'
[req]
distinguished_name = name
prompt = no
[name]
CN = unused
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
END
        for key in old new sub; do
            openssl ecparam -name prime256v1 -genkey -noout -out "$key.key"
        done
        for key in old new; do
            openssl req -x509 -config config -extensions ca -sha256 -days 3650 -key "$key.key" \
                -subj "/O=Example/CN=$key root" -out "$key-root.pem"
        done
        sign new '/O=Example/CN=new root' old cross
        sign sub '/O=Example/CN=issuing CA' new sub
        for file in old-root new-root cross sub; do
            openssl x509 -in "$file.pem" -noout -fingerprint -sha256 | sed 's/.*=/sha256:/' >"$file.pin"
        done
    ) >"$1/log" 2>&1 || { cat "$1/log"; exit 1; }
}
sign() { # KEY SUBJECT ISSUER OUT
    openssl req -new -config config -key "$1.key" -subj "$2" -out request
    openssl x509 -req -in request -CA "$3-root.pem" -CAkey "$3.key" -sha256 -days 3650 \
        -set_serial "0x$(openssl rand -hex 8)" -extfile config -extensions ca -out "$4.pem"
}

failed=0
expect() { # EXIT-CODE SENTENCE COMMAND...
    wanted=$1 what=$2 got=0
    shift 2
    "$@" >"$tmp/out" 2>&1 </dev/null || got=$?
    if [ "$got" -eq "$wanted" ]; then
        echo "ok    $what"
    else
        echo "FAIL  $what (exit $got, not $wanted): $*"
        cat "$tmp/out"
        failed=1
    fi
}
