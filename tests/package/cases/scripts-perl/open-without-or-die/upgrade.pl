#!/usr/bin/perl
use strict;
my $conf = "/etc/ledger/ledger.conf";
open(my $in, '<', $conf) or die "cannot read $conf";
my @rows = <$in>;
close($in);
open(my $out, '>', $conf);
print $out @rows;
print $out "listen=8443\n";
close($out);
