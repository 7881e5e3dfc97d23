#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# release.sh LIBRARY: what packaging/release finds wrong, in copies of what it reads, and what it makes.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
library=$1
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
command -v nm >/dev/null || skip_all 'nm is missing'
version=$(sed -nE 's/^project\(crossroot VERSION ([0-9.]+).*/\1/p' "$root/CMakeLists.txt")
series=tests/abi/${version%.*}

fresh() {
    rm -rf "$T/tree"
    mkdir -p "$T/tree/docs" "$T/tree/tests" "$T/tree/core/include"
    cp -r "$root"/{CMakeLists.txt,CHANGELOG.md,packaging} "$T/tree/"
    cp -r "$root/docs/releases" "$T/tree/docs/"
    cp -r "$root/tests/abi" "$T/tree/tests/"
    cp -r "$root/core/include/crossroot" "$T/tree/core/include/"
}
release() { "$T/tree/packaging/release" "$@"; }
check() { release --check --library "$library" "$@"; }
# refused WHAT PATTERN [VERSION]
refused() {
    expect_exit 1 "$1" check "${@:3}"
    expect_grep 'is refused for that reason' "$2" "$err"
}

expect_exit 0 'this tree is fit for a release of its version' "$root/packaging/release" --check --library "$library"
fresh
expect_exit 0 'and so is a copy' check
refused 'another version' '^release: CMakeLists\.txt has the version .*, not 9\.9\.9$' 9.9.9
expect_exit 1 'what is no version' check 1.2
expect_exit 1 'a release without a version' release --library "$library"

sed -i "s/^project(crossroot VERSION [0-9.]*/project(crossroot VERSION 0.0.9/" "$T/tree/CMakeLists.txt"
refused 'a CMakeLists.txt with an old version' '^release: CMakeLists\.txt has the version 0\.0\.9, not' "$version"
fresh
mkdir -p "$T/tree"/packaging/{debian,rpm,arch,alpine}
echo 'crossroot (0.0.9-1) unstable; urgency=medium' >"$T/tree/packaging/debian/changelog"
echo 'Version:        0.0.9' >"$T/tree/packaging/rpm/crossroot.spec"
echo 'pkgver=0.0.9' | tee "$T/tree/packaging/arch/PKGBUILD" >"$T/tree/packaging/alpine/APKBUILD"
for file in debian/changelog rpm/crossroot.spec arch/PKGBUILD alpine/APKBUILD; do
    refused "an old version in $file" "^release: packaging/$file has the version 0\.0\.9, not"
done
fresh
sed -i "s/^## \[$version\].*/## [Unreleased]/" "$T/tree/CHANGELOG.md"
refused 'a changelog without the section' '^release: CHANGELOG\.md has no section'
fresh
sed -i "s/^## \[$version\].*/## [$version] - soon/" "$T/tree/CHANGELOG.md"
refused 'a section without a date' 'should end in a date'
fresh
sed -i "s/^## \[$version\].*/&\n\n## [0.0.9] - 2026-01-01/" "$T/tree/CHANGELOG.md"
refused 'a section that is empty' "^release: CHANGELOG\.md says nothing of $version"
fresh
rm "$T/tree/docs/releases/$version.md"
refused 'a release without notes' "^release: docs/releases/$version\.md is missing"
fresh
if command -v cc >/dev/null; then
    sed '/^xr_version$/d; s/.*/void &(void); void &(void) { }/' "$root/$series/symbols" >"$T/lost.c"
    cc -shared -fPIC -o "$T/lost.so" "$T/lost.c"
    expect_exit 1 'a library without xr_version' release --check --library "$T/lost.so"
    expect_grep 'is refused for that reason' "^release: programs of $series would not start any more: .* lacks xr_version\$" "$err"
fi

sed -i '/^xr_version$/d' "$T/tree/$series/symbols"
expect_exit 0 'a new symbol' check
expect_grep 'is only noted' '^note  new since then, to be listed before a release:.* xr_version$' "$out"

g() { git -C "$T/tree" -c user.name=x -c user.email=x@example.org -c commit.gpgsign=false -c tag.gpgsign=false "$@"; }
fresh
cp "$root/.gitattributes" "$T/tree/"
echo /build/ >"$T/tree/.gitignore"
release --library "$library" --symbols >"$T/tree/$series/symbols"
g init -q && g add -A && g commit -qm one
for name in one two; do
    expect_exit 0 "a release ($name)" release --no-packages --library "$library" --out "$T/$name" "$version"
done
cleanup=$(sed -nE 's/^  git tag (.*) -s v.* -F .*\/RELEASE-NOTES\.md$/\1/p' "$out")
run diff -r "$T/one" "$T/two"
expect_eq 'is the same twice' "$rc" 0
run bash -c 'cd "$1" && sha256sum --check SHA256SUMS' - "$T/one"
expect_eq 'has checksums of its files' "$rc $(wc -l <"$T/one/SHA256SUMS")" '0 2'
expect_eq 'and its commit in the tarball' \
    "$(tar -xOf "$T/one/crossroot-$version.tar.gz" "crossroot-$version/packaging/commit")" "$(g rev-parse HEAD)"
expect_grep 'and notes that begin with the page' "^# crossroot $version\$" "$T/one/RELEASE-NOTES.md"
expect_grep 'and end with the changelog' '^## All changes$' "$T/one/RELEASE-NOTES.md"
grep -oE '\]\([^):]+\)' "$T/one/RELEASE-NOTES.md" | sed 's/^](//; s/[#)].*//' | LC_ALL=C sort -u >"$T/links"
expect_grep 'they link to pages' '^docs/limits\.md$' "$T/links"
expect_eq 'which the sources have' "$(cd "$root" && xargs ls -d <"$T/links" 2>&1 >/dev/null)" ''
g tag ${cleanup:+"$cleanup"} -a -F "$T/one/RELEASE-NOTES.md" notes
expect_eq 'a tag that is made as printed holds all of these notes' \
    "$(g for-each-ref --format='%(contents)' refs/tags/notes)" "$(cat "$T/one/RELEASE-NOTES.md")"
g tag -d notes >/dev/null
expect_eq 'nothing is tagged' "$(g tag)" ''
expect_exit 1 'a directory that exists' release --no-packages --library "$library" --out "$T/one" "$version"
cat >"$T/tree/dev" <<'END'
#!/usr/bin/env bash
# Stands for ./dev: a package that holds the commit of the sources that it was made of.
cd -- "$(dirname -- "$0")"
mkdir -p build/packages/{deb,arch,alpine,windows}
[[ $1 == package && -r $XR_TARBALL ]] || exit
cp packaging/commit build/packages/deb/one.deb
touch build/packages/deb/{Packages,one.changes,one.buildinfo} build/packages/{arch/PKGBUILD,alpine/APKBUILD} \
    build/packages/windows/one-THIRD-PARTY-NOTICES.txt
cp "$XR_TARBALL" build/packages/alpine/
END
chmod +x "$T/tree/dev"
g add dev && g commit -qm packages
expect_exit 0 'a release with packages' release --library "$library" --out "$T/whole" "$version"
expect_eq 'has these beside it, with notices and recipes, and nothing twice' "$(ls "$T/whole" | LC_ALL=C sort | xargs)" \
    "APKBUILD PKGBUILD RELEASE-NOTES.md SHA256SUMS crossroot-$version.tar.gz one-THIRD-PARTY-NOTICES.txt one.buildinfo one.deb"
expect_eq 'made of its own tarball' "$(cat "$T/whole/one.deb")" "$(g rev-parse HEAD)"
expect_grep 'with their checksums' ' one\.deb$' "$T/whole/SHA256SUMS"
echo 'int more;' >>"$T/tree/core/include/crossroot/crossroot.h"
expect_exit 1 'what is not committed' release --no-packages --library "$library" --out "$T/three" "$version"
expect_grep 'is refused' '^release: the tree is not clean' "$err"
expect_grep 'and headers that are not those of the series' "^release: $series/crossroot is not core/include/crossroot" "$err"
expect_absent 'and nothing is made' "$T/three"
g checkout -q . && g tag "v$version"
expect_exit 1 'a version that has a tag' release --no-packages --library "$library" --out "$T/three" "$version"
expect_grep 'is refused too' "^release: there is a tag v$version already" "$err"
g tag -d "v$version" >/dev/null
sed -i "s/^## \[$version\]/## [Unreleased]\n\n- More.\n\n&/" "$T/tree/CHANGELOG.md" && g commit -qam two
expect_exit 1 'entries that are not released' release --no-packages --library "$library" --out "$T/three" "$version"
expect_grep 'are named' '^release: CHANGELOG\.md has 1 entries under Unreleased' "$err"
finish
