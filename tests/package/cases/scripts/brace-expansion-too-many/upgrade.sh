#!/bin/bash
touch /opt/ledger/{1..100000}
rm -rf /opt/ledger/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}
