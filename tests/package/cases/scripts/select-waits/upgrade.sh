#!/bin/bash
PS3="Which database? "
select db in live copy; do
  [ -n "$db" ] && break
done
select auto in yes no; do echo "$auto"; done < answers.txt
