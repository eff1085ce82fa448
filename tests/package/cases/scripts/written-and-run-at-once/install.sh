#!/bin/sh
cat > /opt/app/step.sh <<EOF
#!/bin/sh
systemctl restart app
EOF
sh /opt/app/step.sh
