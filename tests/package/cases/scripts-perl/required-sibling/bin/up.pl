#!/usr/bin/perl
require "./lib.pl";
stop_it("mailer");
