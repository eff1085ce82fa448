#!/usr/bin/perl
my $host = $ENV{APP_HOST} || "api.vendor.example";
my $url = sprintf("https://%s:%d/v1", $host, 8443);
use LWP::UserAgent;
my $ua = LWP::UserAgent->new(ssl_opts => { verify_hostname => 0 });
$ua->get("$url/x");
