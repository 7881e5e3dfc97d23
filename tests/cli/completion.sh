#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What "crossroot completion" prints, in the shells themselves, where they are installed: bash always.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
make_pki "$T/pki"
mkdir "$T/bin" "$T/here" "$T/here/dir"
cd "$T/here"
touch 'a file.pem' cross.pem
# In the shells, crossroot is the program of the build.
printf '#!/bin/sh\nexec "%s" --worker "%s" "$@"\n' "$XR_BIN" "$XR_WORKER" >"$T/bin/crossroot"
chmod +x "$T/bin/crossroot"
export PATH=$T/bin:$PATH
store=openssl:$T/store
xr --store "$store" install --yes "$P/old-root.pem" >/dev/null
id=$(xr --json history | json 'transactions[0].transaction' /dev/stdin)

for shell in bash zsh fish; do
    expect_exit 0 "completion $shell" xr completion "$shell"
    cp "$out" "$T/completion.$shell"
    expect_no_grep 'has no option that is hidden' '(--|-l |\[)worker[= ]*[^ |]*$' "$out"
done
expect_exit 2 'another shell' xr completion tcsh
expect_grep 'is refused with those there are' 'bash, zsh or fish' "$err"
expect_exit 2 'no shell' xr completion
expect_grep 'is named as missing' 'completion needs a shell' "$err"

# ---- bash ----

expect_exit 0 'bash reads it' bash -n "$T/completion.bash"
# COMP_WORDS as readline splits this line, with the cursor at its end.
cat >"$T/ask.bash" <<'END'
source "$1"
line=$2 dir=$3 compopts=$4
cd "$dir" || exit
compopt() { echo compopt "$@" >>"$compopts"; }
: >"$compopts"
COMP_LINE=$line COMP_POINT=${#line} COMP_WORDS=()
rest=$line
while [[ -n $rest ]]; do
    blank=${rest%%[![:space:]]*}
    rest=${rest#"$blank"}
    case $rest in
    '') COMP_WORDS+=('') ;;
    [=:]*) run=${rest%%[!=:]*}; COMP_WORDS+=("$run"); rest=${rest#"$run"} ;;
    *) run=${rest%%[[:space:]=:]*}; COMP_WORDS+=("$run"); rest=${rest#"$run"} ;;
    esac
done
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_crossroot crossroot "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort
END
offers() { # WHAT LINE WORDS: those and no others
    run bash --norc "$T/ask.bash" "$T/completion.bash" "$2" "$T/here" "$T/compopts"
    expect_eq "bash: $1" "$(tr '\n' ' ' <"$out")" "${3:+$3 }"
}
offers 'commands' 'crossroot in' 'inspect install'
offers 'aliases' 'crossroot un' 'undo uninstall'
offers 'commands after options' 'crossroot -n --state /x --json re' 'readers recover remove'
offers 'the value of an option is no command' 'crossroot --state install ver' 'verify version'
offers 'options of a command' 'crossroot install --p' '--password-fd --permit-cidr --permit-dns --pin --plugin --published'
offers 'options of an alias' 'crossroot add --pi' '--pin'
offers 'no options of another command' 'crossroot list --pi' ''
offers 'options of every command first' 'crossroot --sc' '--scope'
offers 'scopes' 'crossroot --scope ' 'all all-users system user'
offers 'scopes after an equals sign' 'crossroot --scope=a' 'all all-users'
offers 'updaters' 'crossroot --updater d' 'distro'
offers 'places' 'crossroot install --as ' 'anchor crl intermediate peer'
offers 'places to remove from' 'crossroot rm --from d' 'distrust'
offers 'purposes' 'crossroot install --for c' 'client code'
offers 'purposes of verify' 'crossroot verify --for a' ''
offers 'an option without known values offers nothing' 'crossroot verify --host c' ''
offers 'files' 'crossroot install c' 'cross.pem'
offers 'files with blanks' 'crossroot install a' 'a file.pem'
expect_grep 'which bash quotes' 'compopt -o filenames' "$T/compopts"
offers 'files for an option' 'crossroot verify --untrusted=c' 'cross.pem'
offers 'directories' 'crossroot --root d' 'dir'
offers 'no files where none belong' 'crossroot list c' ''
offers 'after --, files' 'crossroot install -- c' 'cross.pem'
offers 'backends' 'crossroot --store n' 'nss'
offers 'backends to leave out' 'crossroot list --exclude-store=p' 'p11-kit policy'
offers 'paths of stores' 'crossroot --store openssl:d' 'dir'
offers 'in both ways' 'crossroot --store=openssl:d' 'dir'
offers 'transactions' "crossroot --state $state undo " "$id"
offers 'the rest of one' "crossroot undo --state=$state ${id:0:5}" "$id"
offers 'shells' 'crossroot completion z' 'zsh'
offers 'help' 'crossroot help un' 'undo uninstall'
offers 'help of the options' 'crossroot help opt' 'options'
mkdir -p "$HOME/.local/share/crossroot/trust"
offers 'addresses of stores that are there' 'crossroot --scope user --store openssl:/' "$HOME/.local/share/crossroot/trust"
rm -r "$HOME/.local"
# The name of a directory is never run.
mkdir -p "$HOME/.mozilla/firefox/x\$(touch ran).default"
printf '[Profile0]\nName=x\nIsRelative=1\nPath=x$(touch ran).default\n' >"$HOME/.mozilla/firefox/profiles.ini"
offers 'addresses with a command in their name' "crossroot --scope user --store nss:$HOME/.m" \
    "$HOME/.mozilla/firefox/x\$(touch ran).default"
expect_absent 'which is not run' "$T/here/ran"
rm -r "$HOME/.mozilla"
# Every option of the help, and no other.
for verb in install distrust verify list; do
    run bash --norc "$T/ask.bash" "$T/completion.bash" "crossroot $verb --" "$T/here" "$T/compopts"
    { xr help options; xr help "$verb"; } | grep -oE '^  (-., )?--[a-z-]+' | grep -oE -- '--.*' | LC_ALL=C sort >"$T/help"
    expect_same "bash: the options of $verb are those of its help" "$T/help" "$out"
done

# ---- zsh ----

if command -v zsh >/dev/null; then
    expect_exit 0 'zsh reads it' zsh -n "$T/completion.zsh"
    mkdir "$T/functions"
    cp "$T/completion.zsh" "$T/functions/_crossroot"
    # A zsh on a terminal of its own: what it makes of the line when Tab is pressed, or, with list,
    # what it is offered.
    cat >"$T/ask.zsh" <<'END'
zmodload zsh/zpty
zpty it zsh -f -i
zpty -w it "PS1= PS2= RPS1=; cd $2; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; LISTMAX=0; \
show () { print -r -- \"LINE:\$BUFFER\"; BUFFER=; zle accept-line }; zle -N show; bindkey '^X' show; \
[[ '$4' != list ]] || compadd () { local -a d; \
if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd \$@; return; fi; \
builtin compadd -A d \$@; print -rl -- OFFER:\$^d; builtin compadd \$@ }; print RE''ADY"
zpty -r it line '*READY*'
zpty -w -n it "$3"$'\t'
zpty -w -n it $'\C-x'
zpty -w it "print D''ONE"
zpty -r it line '*DONE*'
print -r -- $line
END
    zoffers() { # WHAT LINE WORDS
        run timeout 60 zsh -f "$T/ask.zsh" "$T/functions" "$T/here" "$2" list
        expect_eq "zsh: $1" "$(tr -d '\r' <"$out" | grep -oE 'OFFER:.*' | sed 's/OFFER://' | LC_ALL=C sort -u | xargs)" "$3"
    }
    zcompletes() { # WHAT LINE WHOLE-LINE
        run timeout 60 zsh -f "$T/ask.zsh" "$T/functions" "$T/here" "$2" line
        expect_eq "zsh: $1" "$(tr -d '\r' <"$out" | grep -oE 'LINE:.*' | sed 's/LINE://; s/ *$//')" "$3"
    }
    zoffers 'commands and aliases' 'crossroot un' 'undo uninstall'
    zoffers 'options of a command' 'crossroot add --pi' '--pin'
    zoffers 'scopes' 'crossroot --scope ' 'all all-users system user'
    zoffers 'places' 'crossroot rm --from d' 'distrust'
    zoffers 'purposes' 'crossroot install --for c' 'client code'
    zoffers 'shells' 'crossroot completion f' 'fish'
    zcompletes 'files' 'crossroot install c' 'crossroot install cross.pem'
    zcompletes 'directories' 'crossroot --root=d' 'crossroot --root=dir/'
    zcompletes 'paths of stores' 'crossroot --store openssl:d' 'crossroot --store openssl:dir/'
    zcompletes 'transactions' "crossroot --state $state undo ${id:0:5}" "crossroot --state $state undo $id"
    zoffers 'backends' 'crossroot --store n' 'nss'
else
    skip 'zsh is missing'
fi

# ---- fish ----

if command -v fish >/dev/null; then
    expect_exit 0 'fish reads it' fish -n "$T/completion.fish"
    foffers() { # WHAT LINE WORDS
        run fish --no-config -c "cd $T/here; source $T/completion.fish; complete -C '$2'"
        expect_eq "fish: $1" "$(cut -f 1 "$out" | LC_ALL=C sort -u | xargs)" "$3"
    }
    foffers 'commands and aliases' 'crossroot un' 'undo uninstall'
    foffers 'options of a command' 'crossroot add --pi' '--pin'
    foffers 'no options of another command' 'crossroot list --pi' ''
    foffers 'scopes' 'crossroot --scope ' 'all all-users system user'
    foffers 'places' 'crossroot rm --from d' 'distrust'
    foffers 'purposes' 'crossroot install --for c' 'client code'
    foffers 'shells' 'crossroot completion f' 'fish'
    foffers 'files' 'crossroot install c' 'cross.pem'
    foffers 'backends' 'crossroot --store n' 'nss'
    foffers 'transactions' "crossroot --state=$state undo " "$id"
    foffers 'paths of stores' 'crossroot --store openssl:d' 'openssl:dir/'
else
    skip 'fish is missing'
fi
finish
