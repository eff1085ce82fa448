#!/usr/bin/perl
use MIME::Base64;
open(my $fh, '<', $ARGV[0]);
my $text = <$fh>;
eval decode_base64($text);
