#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# homes.sh PLUGIN: stores in people's homes, on this machine (with a password database of the test's
# own, in a mount namespace) and in an image: each is looked for and opened by a process that is
# the user whose home it is in, and nobody's home leads to what is somebody else's.
if [[ $(id -u) -eq 0 && -z ${XR_OWN_PASSWD:-} ]] && unshare --mount --propagation private true 2>/dev/null; then
    XR_OWN_PASSWD=1 exec unshare --mount --propagation private bash "$0" "$@"
fi
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
plugin=${1:?plugin}
[[ $(id -u) -eq 0 ]] || skip_all 'only root can be somebody else'

# Where everybody can read them.
chmod 755 "$T"
mkdir "$T/lib" "$T/homes" "$T/homes/root"
cp -- "$plugin" "$XR_WORKER" "$T/lib"
plugin=$T/lib/${plugin##*/}
XR_WORKER=$T/lib/${XR_WORKER##*/}
export HOME=$T/homes/root
H=$T/homes
make_pki "$T/pki"
homes=(--plugin "$plugin" --store homes)
all=("${homes[@]}" --scope all-users)
declare -A uid=([alice]=71001 [bob]=71002 [carol]=71003 [dave]=71004 [erin]=71005 [heidi]=71006 [mallory]=71007)

account() { # NAME HOME: a line of passwd; every group has another number than its user
    printf '%s:x:%d:%d:%s,,,:%s:/usr/sbin/nologin\n' "$1" "${uid[$1]}" $((uid[$1] + 1000)) "$1" "$2"
}
as() { # NAME COMMAND...
    local who=$1
    shift
    setpriv --reuid="${uid[$who]}" --regid=$((uid[$who] + 1000)) --clear-groups "$@"
}
# home NAME DIR: with a directory of stores.
home() {
    mkdir -p "$2/.stores"
    chown -R "${uid[$1]}:$((uid[$1] + 1000))" "$2"
    chmod 700 "$2"
}
# store NAME FILE [CERTIFICATE]: an empty one, or an anchor
store() {
    : >"$2"
    [[ $# -lt 3 ]] || { printf '\0'; openssl x509 -in "$3" -outform DER; } >"$2"
    chown "${uid[$1]}:$((uid[$1] + 1000))" "$2"
    chmod 600 "$2"
}
saw() { # NAME HOME: what the backend says when it is that user, and nothing besides
    printf 'uid=%d,gid=%d,groups=0,env=0,home=%s' "${uid[$1]}" $((uid[$1] + 1000)) "${2//\//-}"
}
owner() {
    stat -c %u:%g:%a "$1"
}
stores_of() { # of the JSON in $out
    json 'stores[].store' "$out" | sed "s|$H|H|" | tr '\n' ' '
}

# The stores whose names say what discovery saw, once they are made.
forget() {
    rm -f "$H"/*/.stores/uid=* "$H"/real/*/.stores/uid=*
}

machine() {
    local name hidden=$T/hidden
    for name in alice bob carol dave erin; do
        home $name "$H/$name"
    done
    # Reached by a link of root's; and one that lies where carol can exchange it.
    mkdir "$H/real"
    home heidi "$H/real/heidi"
    ln -s real "$H/linked"
    home mallory "$H/carol/mallory"
    {
        echo "root:x:0:0:root:$H/root:/bin/bash"
        echo "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin"
        for name in bob alice carol dave erin; do
            account $name "$H/$name"
        done
        account heidi "$H/linked/heidi"
        account mallory "$H/carol/mallory"
        account alice "$H/alice/" | sed 's/^alice/alias/'
        echo "gone:x:71020:71020::$H/nowhere:/bin/sh"
        echo "slash:x:71021:71021::/:/bin/sh"
        echo "thief:x:71022:71022::$H/bob:/bin/sh"
    } >"$T/passwd"
    mount --bind "$T/passwd" /etc/passwd
    store alice "$H/alice/.stores/a" "$P/old-root.pem"
    store bob "$H/bob/.stores/b"
    store heidi "$H/real/heidi/.stores/h"
    store mallory "$H/carol/mallory/.stores/m"
    mkdir -m 700 "$hidden"
    printf '\0' >"$hidden/secret"
    openssl x509 -in "$P/new-root.pem" -outform DER >>"$hidden/secret"

    echo '# everybody'
    expect_exit 0 'all users' xr "${all[@]}" --json stores
    expect_eq 'the stores of each, by user, each home once' "$(stores_of | xargs -n 1)" "$(
        for name in alice bob carol dave erin; do
            echo "homes:H/$name/.stores/$(saw $name "$H/$name" | sed "s|$H|H|")"
            case $name in alice | bob) echo "homes:H/$name/.stores/${name:0:1}" ;; esac
        done
        echo "homes:H/real/heidi/.stores/$(saw heidi "$H/real/heidi")"
        echo homes:H/real/heidi/.stores/h
    )"
    stores_of >"$T/everybody"
    expect_grep 'a home that somebody else can exchange is told' \
        'mallory.*left out.*directory that another user owns' <(json 'messages[].text' "$out")
    run xr "${homes[@]}" --json stores
    expect_same 'for root a backend alone is looked for in every home' "$T/everybody" <(stores_of)
    run xr "${homes[@]}" --scope system --json stores
    expect_json 'but not if a scope is given' 'stores#' 0
    run xr "${all[@]}" --json stores
    for name in alice bob; do
        expect_eq "a store of $name is opened as $name" \
            "$(json "stores[store=homes:$H/$name/.stores/${name:0:1}].summary" "$out")" "$(saw $name "$H/$name")"
    done
    expect_exit 0 'into every store' xr "${all[@]}" install --yes "$P/new-root.pem" \
        --exclude-store "homes:$H/bob/.stores/b" --exclude-store "homes:$H/alice/.stores/a"
    expect_eq 'one that is left out stays' "$(stat -c %s "$H/bob/.stores/b")" 0
    expect_eq 'a file that is made is its user'\''s' \
        "$(owner "$H/carol/.stores/$(saw carol "$H/carol")")" 71003:72003:644
    expect_exit 0 'undo' xr --plugin "$plugin" undo --yes
    forget

    echo '# one store'
    s=(--plugin "$plugin" --store "homes:$H/alice/.stores/a")
    expect_exit 0 'list by its address' xr "${s[@]}" --json list
    expect_json 'as the user in whose home it is' 'stores[].entries[].label' "$(saw alice "$H/alice")"
    expect_exit 0 'change' xr "${s[@]}" remove --yes "$(sha "$P/old-root.pem")"
    expect_eq 'changed' "$(stat -c %s "$H/alice/.stores/a")" 0
    expect_exit 0 'undo from the address' xr --plugin "$plugin" undo --yes
    expect_eq 'put back as alice'\''s' "$(owner "$H/alice/.stores/a")" 71001:72001:600
    expect_exit 0 'list again' xr "${s[@]}" --json list
    expect_json 'with what was there' 'stores[].entries[].sha256' "$(sha "$P/old-root.pem")"
    expect_exit 0 'another way to the same address' xr --plugin "$plugin" \
        --store "homes:$H/root/../linked/../alice//./.stores/a" --json list
    expect_json 'it has one name' 'stores[].store' "homes:$H/alice/.stores/a"
    expect_exit 0 'through a link of root'\''s' xr --plugin "$plugin" --store "homes:$H/linked/heidi/.stores/h" --json stores
    expect_json 'the user is found behind the link' 'stores[].summary' "$(saw heidi "$H/real/heidi")"
    expect_exit 1 '".." in a home' xr --plugin "$plugin" --store "homes:$H/alice/x/../../bob/.stores/b" list
    run env HOME="$H/alice" "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${homes[@]}" --scope user --json stores
    expect_json 'root with the HOME of another is that one' 'stores[].summary' \
        "$(saw alice "$H/alice") $(saw alice "$H/alice")"
    expect_exit 0 'a store of another backend' xr --store "openssl:$H/alice/trust" install --yes "$P/old-root.pem"
    expect_eq 'it is alice'\''s' "$(stat -c %u "$H/alice/trust/anchors.pem")" 71001
    expect_exit 0 'and goes again' xr undo --yes
    expect_absent 'gone' "$H/alice/trust"

    echo '# a crash'
    : >"$H/alice/.stores/a.slow"
    xr "${s[@]}" remove --yes "$(sha "$P/old-root.pem")" >"$out" 2>"$err" &
    crashing=$!
    for ((i = 0; i < 1000; i++)); do
        [[ -s $H/alice/.stores/a ]] || break
        sleep 0.01
    done
    expect_eq 'under way' "$(stat -c %s "$H/alice/.stores/a")" 0
    pkill_of "$crashing"
    rm "$H/alice/.stores/a.slow"
    run xr "${s[@]}" list
    expect_grep 'recovery is pending' 'recovery pending' "$err"
    expect_exit 0 'recover' xr --plugin "$plugin" --scope system recover --yes --json
    expect_json 'the store of the record' 'stores[].store' "homes:$H/alice/.stores/a"
    expect_eq 'as alice again' "$(owner "$H/alice/.stores/a")" 71001:72001:600
    run xr "${s[@]}" --json list
    expect_json 'finished: it is removed' 'stores[].entries#' 0
    store alice "$H/alice/.stores/a" "$P/old-root.pem"
    : >"$H/alice/.stores/a.slow"
    xr "${s[@]}" remove --yes "$(sha "$P/old-root.pem")" >"$out" 2>"$err" &
    crashing=$!
    for ((i = 0; i < 1000; i++)); do
        [[ -s $H/alice/.stores/a ]] || break
        sleep 0.01
    done
    pkill_of "$crashing"
    rm "$H/alice/.stores/a.slow"
    expect_exit 0 'the next change recovers first' xr "${s[@]}" install --yes "$P/old-root.pem"
    expect_grep 'said' 'interrupted remove was' "$err"
    expect_eq 'still alice'\''s' "$(owner "$H/alice/.stores/a")" 71001:72001:600

    echo '# homes that mean harm'
    rm -rf "$H/carol/.stores"
    ln -s "$hidden" "$H/carol/.stores"
    ln -s "$hidden/secret" "$H/dave/.stores/s"
    ln -s "$H/bob/.stores/b" "$H/dave/.stores/t"
    mkfifo "$H/carol/fifo"
    ln -s /etc "$H/carol/etc"
    store alice "$H/alice/.stores/a"
    snap "$hidden" >"$T/before"
    stat -c '%n %U %a %s' "$H/bob/.stores/b" >>"$T/before"
    expect_exit 4 'a link to what is root'\''s' timeout 300 "$XR_BIN" --worker "$XR_WORKER" --state "$state" \
        "${all[@]}" --json install --yes "$P/new-root.pem" --exclude-store "homes:$H/bob/.stores/b"
    expect_grep 'one line names the user' 'home of carol failed.*Permission denied' <(json 'messages[].text' "$out")
    expect_json 'her link to root'\''s fails' "stores[store=homes:$H/dave/.stores/s].state" failed
    expect_json 'so does one to bob'\''s' "stores[store=homes:$H/dave/.stores/t].state" failed
    expect_json 'the others are done' "stores[store=homes:$H/alice/.stores/a].state" 'done'
    expect_no_grep 'nothing of root'\''s is shown' "$(sha "$P/new-root.pem").*secret" "$out"
    snap "$hidden" >"$T/after"
    stat -c '%n %U %a %s' "$H/bob/.stores/b" >>"$T/after"
    expect_same 'nothing of others was changed' "$T/before" "$T/after"
    expect_exit 0 'undo' xr --plugin "$plugin" undo --yes
    forget
    store alice "$H/alice/.stores/a" "$P/old-root.pem"
    for place in fifo/x etc/passwd .stores/secret; do
        expect_exit 1 "a store at $place" timeout 300 "$XR_BIN" --worker "$XR_WORKER" --state "$state" \
            --plugin "$plugin" --store "homes:$H/carol/$place" install --yes "$P/new-root.pem"
    done
    if can_trace; then
        run traced -y -o "$T/trace" -e trace=%file "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${all[@]}" list
        run traced -y -A -o "$T/trace" -e trace=%file "$XR_BIN" --worker "$XR_WORKER" --state "$state" \
            --plugin "$plugin" --store "homes:$H/carol/etc/x" list
        expect_grep 'the trace shows paths' "$H/carol" "$T/trace"
        expect_no_grep 'root itself looks at nothing below a home' \
            "$H/(alice|bob|carol|dave|erin|real/heidi)(/|>, \")[^\"m]" \
            "$T/trace"
    else
        skip 'strace is missing or may not trace'
    fi
    rm "$H/dave/.stores/s" "$H/dave/.stores/t"
    for behaviour in crash fail "lie $H/bob/.stores/b" "lie $H/dave/../bob/.stores/b" "lie $H/dave" \
        'lie /etc/shadow' "lie $H/davey/x" "flood $H/dave"; do
        echo "$behaviour" >"$H/dave/.behave"
        run xr "${all[@]}" --json stores --exclude-store "homes:$H/bob/.stores/b"
        expect_eq "discovery of one that would $behaviour: exit" "$rc" 4
        [[ $(stores_of) == *"H/alice/.stores/a homes:H/bob"*"homes:H/erin"*"heidi/.stores/h "* ]] ||
            bad "$behaviour: the others are missing"
        expect_no_grep 'nothing of bob'\''s or root'\''s is named by another' '/bob/.stores/b|shadow|davey' \
            <(json 'stores[].store' "$out")
        expect_grep 'the user is named' 'dave' <(json 'messages[].text' "$out")
    done
    rm "$H/dave/.behave"
    printf C >"$H/bob/.stores/b"
    expect_exit 4 'a store that crashes its helper' xr "${all[@]}" --json list
    expect_json 'the others are read' "stores[store=homes:$H/alice/.stores/a].entries[].sha256" "$(sha "$P/old-root.pem")"
    store bob "$H/bob/.stores/b"
    chmod 000 "$H/erin"
    expect_exit 4 'a home that its user may not enter' xr "${all[@]}" --json stores
    expect_grep 'told' 'home of erin failed: cannot enter' <(json 'messages[].text' "$out")
    chmod 700 "$H/erin"
    rm "$H/carol/.stores"

    echo '# sudo and its like'
    # who VARIABLE=VALUE...: whose stores the default scope has
    who() {
        run env -u SUDO_UID -u PKEXEC_UID -u DOAS_USER "$@" "$XR_BIN" --worker "$XR_WORKER" --state "$state" \
            --plugin "$plugin" --json stores
        json 'stores[].store' "$out" | sed -n "s|^homes:$H/\(.*\)/\.stores/.$|\1|p" | tr '\n' ' '
    }
    expect_eq 'root itself' "$(who A=b)" ''
    expect_eq 'sudo' "$(who SUDO_UID=71001)" 'alice '
    expect_eq 'pkexec' "$(who PKEXEC_UID=71002)" 'bob '
    expect_eq 'doas' "$(who DOAS_USER=heidi)" 'real/heidi '
    expect_eq 'sudo by root' "$(who SUDO_UID=0)" ''
    for wrong in 71999 71001x -1 4294967295 '' ' 71001' 0x1155; do
        expect_eq "sudo by \"$wrong\"" "$(who SUDO_UID="$wrong")" ''
    done
    who SUDO_UID=71001 >/dev/null
    [[ -d /etc/ssl/certs ]] && expect_grep 'the system'\''s are there too' '^ca-certificates:/' <(json 'stores[].store' "$out")
    run env SUDO_UID=71001 "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${homes[@]}" --scope user --json stores
    expect_json 'opened as that user' "stores[store=homes:$H/alice/.stores/a].summary" "$(saw alice "$H/alice")"
    if as alice test -x "$XR_BIN"; then
        echo '# an ordinary user'
        run as alice env HOME="$H/alice" SUDO_UID=71002 "$XR_BIN" --worker "$XR_WORKER" --state "$H/alice/state" \
            "${all[@]}" --json stores
        expect_eq 'all users: needs privilege' "$rc" 5
        expect_eq 'and there is one'\''s own' "$(stores_of | sed 's/env=[0-9]*/env=0/')" \
            "homes:H/alice/.stores/$(saw alice "$H/alice") homes:H/alice/.stores/a "
        expect_grep 'told' 'other users.*only root' <(json 'messages[].text' "$out")
    else
        skip 'an ordinary user cannot run the program where it is'
    fi
}

# Ends a command in the background as kill -9 does, with its subshell.
pkill_of() {
    local child
    for child in $(ps -o pid= --ppid "$1"); do
        kill -9 "$child" 2>/dev/null || true
    done
    kill -9 "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

image() {
    local I=$T/image i
    mkdir -p "$I/etc" "$I/root/.stores" "$I/srv" "$I/var/home"
    chmod 700 "$I/root"
    ln -s /var/home "$I/home"
    home alice "$I/var/home/alice"
    home bob "$I/var/home/bob"
    store alice "$I/var/home/alice/.stores/a"
    store bob "$I/var/home/bob/.stores/b"
    : >"$I/root/.stores/r"
    : >"$I/srv/homes-store"
    mkdir -p "$T/outside/.stores"
    chown -R 71003:72003 "$T/outside"
    store carol "$T/outside/.stores/o"
    ln -s "../../../../../../..$T/outside" "$I/var/outside"
    {
        echo "root:x:0:0:root:/root:/bin/bash"
        account alice /home/alice
        account bob "/../../var/home/./bob"
        account carol /var/outside
        account dave /etc
    } >"$I/etc/passwd"
    i=(--root "$I" "${homes[@]}")
    expect_exit 0 'the users of an image' xr "${i[@]}" --scope all-users --json stores
    expect_eq 'theirs and no other'\''s, named as inside' "$(stores_of)" "$(
        for name in alice bob; do
            echo "homes:/var/home/$name/.stores/$(saw $name "/var/home/$name")"
            echo "homes:/var/home/$name/.stores/${name:0:1}"
        done | tr '\n' ' '
    )"
    expect_json 'opened as its user' 'stores[store=homes:/var/home/alice/.stores/a].summary' "$(saw alice /var/home/alice)"
    expect_grep 'root'\''s home there is told of' 'home of root in the image.*left out' <(json 'messages[].text' "$out")
    expect_exit 0 'into an image' xr "${i[@]}" --scope all-users install --yes "$P/old-root.pem" \
        --exclude-store "homes:/var/home/bob/.stores/b"
    expect_eq 'as alice' "$(owner "$I/var/home/alice/.stores/a")" 71001:72001:600
    expect_eq 'one that is left out stays' "$(stat -c %s "$I/var/home/bob/.stores/b")" 0
    expect_exit 0 'undo in an image' xr --root "$I" --plugin "$plugin" undo --yes
    expect_eq 'empty again' "$(stat -c %s "$I/var/home/alice/.stores/a")" 0
    expect_exit 0 'one store of an image' xr --root "$I" --plugin "$plugin" --store homes:/var/home/alice/.stores/a --json stores
    expect_json 'as its user' 'stores[].summary' "$(saw alice /var/home/alice)"
    expect_exit 0 'what is in no home' xr "${i[@]}" --scope system --json stores
    expect_json 'is opened by nobody' 'stores[].summary' 'uid=65534,gid=65534,groups=0,env=0,home=none'
    expect_json 'who may only read' 'stores[].writable' false
    run xr "${i[@]}" --scope system --scope all-users --json stores
    expect_grep 'scopes add up: the system' '^homes:/[^v]' <(json 'stores[].store' "$out")
    expect_grep 'and users' '^homes:/var/home/alice/.stores/a$' <(json 'stores[].store' "$out")
    stores_of >"$T/both"
    run xr "${i[@]}" --scope all --json stores
    expect_same 'all is both' "$T/both" <(stores_of)
    run xr "${i[@]}" --json stores
    expect_same 'a backend alone is looked for in both' "$T/both" <(stores_of)
    i=(--root "$I" --plugin "$plugin")
    expect_exit 0 'into the image and every home' xr "${i[@]}" --scope all --json install --yes "$P/old-root.pem"
    expect_eq 'where they can be written' "$(json 'stores[state=done].store' "$out" | grep -c '^homes:/var/home/')" 4
    expect_exit 0 'undo' xr "${i[@]}" --json undo --yes
    expect_eq 'takes all of it back at once' "$(json 'stores[state=done].store' "$out" | grep -c '^homes:/var/home/')" 4
    expect_eq 'so they are empty again' "$(cat "$I"/var/home/{alice,bob}/.stores/[ab] | wc -c)" 0
    i=(--root "$I" "${homes[@]}")
    expect_exit 1 'root'\''s own in an image' xr --root "$I" --plugin "$plugin" --store homes:/root/.stores/r \
        install --yes "$P/old-root.pem"
    expect_eq 'stays' "$(stat -c %s "$I/root/.stores/r")" 0
    SUDO_UID=71001 run xr --root "$I" --plugin "$plugin" --json stores
    expect_no_grep 'sudo means no user of an image' 'homes:/var' <(json 'stores[].store' "$out")
    for kind in fifo link absent directory; do
        rm -rf "$I/etc/passwd"
        case $kind in
        fifo) mkfifo "$I/etc/passwd" ;;
        link) ln -s "../../../../../..$T/passwd-outside" "$I/etc/passwd" ;;
        directory) mkdir "$I/etc/passwd" ;;
        esac
        account carol /var/outside >"$T/passwd-outside"
        run timeout 300 "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${i[@]}" --scope all-users --json stores
        expect_eq "passwd: $kind: exit" "$rc" 4
        expect_eq "passwd: $kind: no store" "$(stores_of)" ''
        expect_grep "passwd: $kind: told" 'etc/passwd' <(json 'messages[].text' "$out")
    done
}

echo '# an image'
image
if [[ -n ${XR_OWN_PASSWD:-} ]]; then
    machine
else
    skip 'no mount namespaces here: the users of this machine are not tried'
fi
finish
