#!/bin/sh
rm -rf /opt/ledger/lib
