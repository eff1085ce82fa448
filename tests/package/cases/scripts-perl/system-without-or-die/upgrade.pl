#!/usr/bin/perl
use strict;
use warnings;

system("pg_dump -f /var/backups/ledger.sql ledger");
system("psql", "-f", "migrate.sql", "ledger");
system("tar xzf ledger.tar.gz -C /opt/ledger") if -e "ledger.tar.gz";
system("systemctl restart ledger");
