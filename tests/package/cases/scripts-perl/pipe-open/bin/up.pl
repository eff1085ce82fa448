#!/usr/bin/perl
open(P, "systemctl stop app |");
open(my $q, "-|", "systemctl", "start", "app");
exec "shutdown -r now";
