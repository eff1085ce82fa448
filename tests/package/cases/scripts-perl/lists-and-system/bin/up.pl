#!/usr/bin/perl
use strict;
my @units = qw(web worker);
foreach my $u (@units) {
  system("systemctl", "restart", "app-$u") == 0 or die "no: $!";
}
