#!/bin/sh
./bin/a.sh c1
./bin/a.sh c2
./bin/a.sh c3
./bin/b.sh c1
./bin/b.sh c2
./bin/b.sh c3
./bin/c.sh c1
./bin/c.sh c2
./bin/c.sh c3
./bin/d.sh c1
./bin/d.sh c2
./bin/d.sh c3
systemctl restart c
