#!/usr/bin/perl
=pod

system("reboot"); https://doc.vendor.example

=cut
# system("reboot")
print "see https://help.vendor.example\n";
__END__
system("reboot");
