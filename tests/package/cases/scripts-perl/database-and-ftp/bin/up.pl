#!/usr/bin/perl
use DBI; use Net::FTP;
my %db = (host => "db.vendor.example", user => "app");
DBI->connect("dbi:Pg:dbname=app;host=$db{host};port=6432", $db{user}, "s3cret-word");
my $f = Net::FTP->new("ftp.vendor.example");
