# SPDX-License-Identifier: Apache-2.0
# The table that README shows, from what the harnesses print (lib.sh, row): a row a kind. A kind that no
# harness printed has none.
BEGIN {
    FS = "\t"
    kind("SIGKILL", "at every call that changes a file, seven stores at once, each command with and without `--all-or-nothing`; then `recover` or the next command", "old or new, all or nothing where asked")
    kind("power cut", "at every moment of a change, with three models of what a file system loses", "old or new, and new after exit 0; never torn, never wider")
    kind("I/O faults", "each call fails once, in the program and its helpers: full, broken, read-only, forbidden, out of descriptors, interrupted, half done", "not exit 0, the reason told, the old state")
    kind("real faults", "full disks, limits, read-only mounts; a mount point, a link, a directory, a device, a FIFO in the way", "the same, and nothing replaced")
    kind("memory", "an allocation fails, in the program, its helpers or their libraries", "the old state, or recoverable")
    kind("rivals", "16 writers and readers at once, beside certutil, `trust` and `update-ca-certificates`", "nothing lost, twice or torn")
    kind("bytes", "hostile bytes for every parser (libFuzzer with sanitizers)", "no crash, hang or leak")
    kind("hostile", "homes, images, hives and environments that mean harm", "no breach")
    kind("trust", "seeded orders of commands and kills; then real readers are asked", "none trusts what nobody asked for")
    kind("clock", "1970, 2029, 2038, 2049/2050, 2106", "right answers")
}

function kind(name, how, must) {
    order[++kinds] = name
    text[name] = how
    wanted[name] = must
}

# ctest prints again what a failed harness printed.
/SURVIVED\t/ && !seen[$2]++ {
    name = $2
    sub(/: .*/, "", name)
    number = unit = $3
    sub(/ .*/, "", number)
    sub(/^[0-9]+ /, "", unit)
    if (!((name, unit) in tried))
        units[name] = units[name] (units[name] == "" ? "" : SUBSEP) unit
    tried[name, unit] += number
    violations[name] += $4
    if (!(name in text))
        unknown = unknown " " name
}

END {
    print "| | what is tried | how often | must be | violations |"
    print "|---|---|---|---|---|"
    for (k = 1; k <= kinds; k++) {
        name = order[k]
        if (!(name in violations))
            continue
        count = split(units[name], all, SUBSEP)
        often = ""
        for (i = 1; i <= count; i++)
            often = often (i > 1 ? ", " : "") tried[name, all[i]] " " all[i]
        printf "| %s | %s | %s | %s | %d |\n", name, text[name], often, wanted[name], violations[name]
    }
    if (unknown != "") {
        print "no kind of the table:" unknown
        exit 1
    }
}
