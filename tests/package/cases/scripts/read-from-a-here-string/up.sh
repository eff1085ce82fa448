#!/bin/bash
IFS=: read -r host port <<< "db.vendor.example:5433"
psql -h "$host" -p "$port" -c "select 1"
