#!/usr/bin/perl
use strict;
use warnings;

system("pg_dump -f /var/backups/ledger.sql ledger") == 0 or die "no backup: $?";
system("psql", "-f", "migrate.sql", "ledger");
if ($? != 0) {
    die "migration failed";
}
my $rc = system("tar xzf ledger.tar.gz -C /opt/ledger");
exit 1 if $rc;
system("systemctl restart ledger");
