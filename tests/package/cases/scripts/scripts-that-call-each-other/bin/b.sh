#!/bin/sh
./bin/a.sh b1
./bin/a.sh b2
./bin/a.sh b3
./bin/b.sh b1
./bin/b.sh b2
./bin/b.sh b3
./bin/c.sh b1
./bin/c.sh b2
./bin/c.sh b3
./bin/d.sh b1
./bin/d.sh b2
./bin/d.sh b3
systemctl restart b
