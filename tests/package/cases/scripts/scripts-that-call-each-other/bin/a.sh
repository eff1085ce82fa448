#!/bin/sh
./bin/a.sh a1
./bin/a.sh a2
./bin/a.sh a3
./bin/b.sh a1
./bin/b.sh a2
./bin/b.sh a3
./bin/c.sh a1
./bin/c.sh a2
./bin/c.sh a3
./bin/d.sh a1
./bin/d.sh a2
./bin/d.sh a3
systemctl restart a
