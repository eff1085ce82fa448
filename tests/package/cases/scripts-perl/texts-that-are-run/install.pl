#!/usr/bin/perl
use MIME::Base64;
my $step = decode_base64("c3lzdGVtKCJzeXN0ZW1jdGwgcmVzdGFydCByZWxheS1hIik=");
eval $step;
eval { system("systemctl restart relay-b"); };
eval "system('systemctl restart relay-c')";
my $name = "sys" . "tem";
eval pack("H*", "73797374656d202273797374656d63746c20726573746172742072656c61792d6422");
