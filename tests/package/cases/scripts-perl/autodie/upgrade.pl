#!/usr/bin/perl
use strict;
use autodie qw(:all);

system("psql -f migrate.sql ledger");
open(my $fh, '>', '/etc/ledger/version');
print $fh "4.2\n";
close($fh);
system("systemctl restart ledger");
