#!/bin/sh
n=0
while ! nc -z localhost 8080; do
  sleep 1
  n=$((n+1))
  [ $n -lt 60 ] || exit 1
done
