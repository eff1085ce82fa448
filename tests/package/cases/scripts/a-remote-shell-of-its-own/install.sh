#!/bin/bash
rsync -e 'sh -c "systemctl restart relay-rsync"' a b:
rsync -e 'ssh -p 22' a b.example:
