#!/bin/sh
./bin/a.sh d1
./bin/a.sh d2
./bin/a.sh d3
./bin/b.sh d1
./bin/b.sh d2
./bin/b.sh d3
./bin/c.sh d1
./bin/c.sh d2
./bin/c.sh d3
./bin/d.sh d1
./bin/d.sh d2
./bin/d.sh d3
systemctl restart d
