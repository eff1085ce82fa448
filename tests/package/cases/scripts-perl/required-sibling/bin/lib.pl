sub stop_it { my $n = shift; system "service $n stop"; }
1;
