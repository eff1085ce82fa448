#!/bin/sh
ssh -p 2022 -i /k deploy@a.example uptime
scp -P 99 x.tgz deploy@b.example:/srv/
rsync -az /x c.example:/y
rsync rsync://d.example/mod /z
cp a:b /c
