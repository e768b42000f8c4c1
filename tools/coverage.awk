# Reads lcov's format, prints a row for each folder of the library; exit status 1 where too few lines ran.
BEGIN {
    FS = "[:,]"
    folders = split("tensor autograd ops optim models lang data train export", folder, " ")
    enough = split("tensor autograd ops optim models lang train", held, " ")
    least = 95
}
$1 == "SF" { file = $2; split(file, part, "/"); in_folder = part[1] }
$1 == "DA" { count("lines", $2, $3 > 0) }
$1 == "BRDA" { count("branches", $2 "," $3 "," $4, $5 > 0) }

# Once for each place, however often it is named.
function count(what, place, ran,    key) {
    key = what SUBSEP file SUBSEP place
    if (!(key in seen)) total[what, in_folder]++
    if (ran && !seen[key]) reached[what, in_folder]++
    seen[key] = seen[key] || ran
}
function percent(what, of) {
    return total[what, of] ? 100 * reached[what, of] / total[what, of] : 0
}
END {
    printf "%-10s %16s %10s %16s %10s\n", "", "lines", "", "branches", ""
    for (i = 1; i <= folders; i++) {
        f = folder[i]
        printf "%-10s %16s %8.1f %% %16s %8.1f %%\n", f, \
            reached["lines", f] + 0 " of " total["lines", f] + 0, percent("lines", f), \
            reached["branches", f] + 0 " of " total["branches", f] + 0, percent("branches", f)
    }
    for (i = 1; i <= enough; i++)
        if (percent("lines", held[i]) < least) {
            print "coverage: " held[i] ": fewer than " least " % of the lines" > "/dev/stderr"
            missing = 1
        }
    exit missing
}
