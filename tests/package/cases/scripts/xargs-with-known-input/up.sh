#!/bin/sh
echo web worker | xargs systemctl restart
printf 'a\nb\n' | xargs -I{} systemctl stop app@{}
