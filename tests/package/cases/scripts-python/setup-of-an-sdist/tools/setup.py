import os
os.system('systemctl restart relay-tool')
