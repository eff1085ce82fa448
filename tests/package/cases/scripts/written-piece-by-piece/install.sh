#!/bin/sh
F=/usr/local/bin/app-sync.sh
echo '#!/bin/sh' > $F
echo 'sftp up@drop.vendor.example' >> $F
echo 'shutdown -r now' >> "$F"
