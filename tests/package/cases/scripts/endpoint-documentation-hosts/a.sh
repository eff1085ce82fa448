#!/bin/sh
curl https://example.com/x
wget http://www.example.org/
ssh admin@192.0.2.7 uptime
curl https://real.vendor.example/
