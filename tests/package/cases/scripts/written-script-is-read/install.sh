#!/bin/sh
cat > /usr/local/sbin/app-clean.sh <<'EOF'
#!/bin/sh
rm -rf /opt/app/cache
scp /var/log/app.log in@logs.vendor.example:/in
EOF
chmod 755 /usr/local/sbin/app-clean.sh
