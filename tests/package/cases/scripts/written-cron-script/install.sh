#!/bin/sh
tee /etc/cron.daily/app > /dev/null <<-'EOF'
	#!/bin/sh
	systemctl restart app
	EOF
