/^keep / { print $2 > "/var/lib/ledger/kept" }
