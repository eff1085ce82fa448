from pathlib import Path
with open("/etc/cron.d/app", "w") as f:
    f.write("0 4 * * * root /opt/app/run\n")
Path("/etc/app.conf").write_text("url=https://api.vendor.example\n")
