#!/bin/sh
while read -r x; do sleep 1; done < /etc/app/list
