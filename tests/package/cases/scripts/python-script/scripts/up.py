import os, requests, subprocess, shutil
BASE = 'https://py.vendor.example'
requests.post(f'{BASE}/hooks', json={'url': 'https://me.example/cb'})
subprocess.run(['sudo', 'systemctl', 'restart', 'x.service'])
os.system('shutdown -r now')
shutil.rmtree('/var/lib/x')
