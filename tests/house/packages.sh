#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# packages.sh BUILD-DIR: the packages under packaging/ are of this version and hold all that is installed.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
build=$1
cd "$root/packaging" || exit

version=$(sed -n 's/^project(crossroot VERSION \([0-9.]*\).*/\1/p' ../CMakeLists.txt)
expect_eq 'the version has three numbers' "$([[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] && echo yes)" yes
expect_eq 'the spec has it' "$(sed -n 's/^Version: *//p' rpm/crossroot.spec)" "$version"
expect_eq 'and so has its last change' \
    "$(sed -n '/^%changelog/,$s/^\* .* - \(.*\)-[0-9]*$/\1/p' rpm/crossroot.spec | head -n 1)" "$version"
expect_eq 'PKGBUILD has it' "$(sed -n 's/^pkgver=//p' arch/PKGBUILD)" "$version"
expect_eq 'APKBUILD has it' "$(sed -n 's/^pkgver=//p' alpine/APKBUILD)" "$version"
expect_eq 'and so has its source' "$(sed -n 's/^SKIP  //p' alpine/APKBUILD)" "crossroot-$version.tar.gz"
expect_eq 'the installer for Windows has none of its own' "$(grep -cF "$version" nsis/crossroot.nsi || true)" 0

# What is installed: with every backend but the two that packages link as a plugin.
DESTDIR=$T/stage cmake --install "$build" >"$T/log"
value() { sed -n "s/^CMAKE_INSTALL_$1:[A-Z]*=//p" "$build/CMakeCache.txt"; }
prefix=$(value PREFIX) libdir=$(value LIBDIR) libexecdir=$(value LIBEXECDIR)
(cd "$T/stage$prefix" && find . ! -type d -printf '%P\n') |
    sed -E "s|^$libdir/|%{_libdir}/|; s|^$libexecdir/|%{_libexecdir}/|; s|^bin/|%{_bindir}/|; s|^include/|%{_includedir}/|
            s|^share/man/|%{_mandir}/|; s|^share/|%{_datadir}/|" | grep -vE '/backends/|/doc/crossroot/LICENSE$' >"$T/installed"
sed -nE 's/.*xr_add_backend\(([a-z0-9]+) .*/\1/p' ../backends/CMakeLists.txt | LC_ALL=C sort -u |
    grep -vxE 'openssl|cacerts' >"$T/backends"
expect_eq 'there are backends' "$(($(wc -l <"$T/backends") >= 5))" 1
sed 's|.*|%{_libdir}/crossroot/backends/&.so|' "$T/backends" >>"$T/installed"
sed -n '/^%files/,/^%changelog/p' rpm/crossroot.spec | sed 's/^%lang([a-z]*) //' | grep '^%{' | sed 's|/$|/*|' >"$T/listed"
# Without scdoc there are no manual pages.
! grep -q '^SCDOC:.*NOTFOUND' "$build/CMakeCache.txt" || sed -i '/_mandir/d' "$T/listed"

missing() { # what no pattern of the spec matches
    local path pattern hit
    while read -r path; do
        hit=
        while read -r pattern; do
            # shellcheck disable=SC2053 # it is a pattern
            [[ $path != $pattern ]] || hit=1
        done <"$T/listed"
        [[ -n $hit ]] || printf '%s\n' "$path"
    done <"$T/installed"
}
idle() { # patterns that match nothing
    local path pattern hit
    while read -r pattern; do
        hit=
        while read -r path; do
            # shellcheck disable=SC2053
            [[ $path != $pattern ]] || hit=1
        done <"$T/installed"
        [[ -n $hit ]] || printf '%s\n' "$pattern"
    done <"$T/listed"
}
expect_eq 'the spec packages all that is installed' "$(missing)" ''
expect_eq 'and lists nothing that is not' "$(idle)" ''
sed -nE 's/^\t_backend ([a-z0-9]+) .*/\1/p' alpine/APKBUILD | LC_ALL=C sort >"$T/alpine"
expect_same 'APKBUILD packages every backend' "$T/backends" "$T/alpine"
finish
